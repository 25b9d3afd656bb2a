import EMSCore

/// What the bodies of requests and answers look like, by name. The bounds are those of the core's rules.
enum Schemas {
    static let all: [(name: String, schema: JSONSchema)] = [
        ("Event", event), ("EventDraft", eventDraft), ("EventPatch", eventPatch), ("EventPage", eventPage),
        ("Coordinates", coordinates), ("Restoration", restoration), ("HistoryEntry", historyEntry), ("HistoryPage", historyPage),
        ("JournalEntry", journalEntry), ("JournalPage", journalPage),
        ("User", user), ("UserPage", userPage), ("Registration", registration), ("ProfilePatch", profilePatch),
        ("Credentials", credentials), ("Grant", grant), ("RefreshRequest", refreshRequest), ("PasswordChange", passwordChange),
        ("Session", session),
        ("SubscriptionRequest", subscriptionRequest), ("Subscription", subscription),
        ("SubscriptionPage", subscriptionPage),
        ("Notification", notification), ("UnreadCount", unreadCount), ("Done", done),
        ("Health", health), ("Readiness", readiness), ("KeySet", keySet),
        ("Problem", problem),
    ]

    // MARK: Events

    private static let exampleID: JSONValue = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"
    private static let exampleTime: JSONValue = "2026-03-01T09:00:00.000Z"

    static let eventDraftExample: JSONValue = [
        "title": "Tech Conference", "description": "Annual technology conference", "location": "San Francisco",
        "start_time": "2040-03-01T09:00:00Z", "end_time": "2040-03-01T17:00:00Z", "tags": ["technology", "conference"],
        "max_attendees": 500, "status": "scheduled", "attachment_url": "https://example.com/programme.pdf",
        "coordinates": ["latitude": 37.7749, "longitude": -122.4194],
    ]

    private static let eventExample: JSONValue = eventDraftExample.merged(with: [
        "event_id": exampleID, "start_time": "2040-03-01T09:00:00.000Z", "end_time": "2040-03-01T17:00:00.000Z",
        "created_by": exampleID, "created_at": exampleTime, "updated_at": exampleTime, "version": 1,
    ])

    /// No control characters (C0, DEL, C1), and none that turn the direction of writing.
    private static let oneLine = #"^[^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]*$"#

    private static let title = JSONSchema.string("Not blank.", length: 1...EventRules.titleLimit, pattern: oneLine)
    private static let description = JSONSchema.string(length: 0...EventRules.descriptionLimit)
    private static let location = JSONSchema.string(length: 0...EventRules.locationLimit, pattern: oneLine)
    private static let tags = JSONSchema.array(
        of: .string(length: 1...EventRules.tagLimit, pattern: #"^[^,\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]+$"#),
        "Kept in lower case, each once; without commas.",
        upTo: EventRules.tagCountLimit)
    private static let attendees = JSONSchema.integer(nil, 1...EventRules.attendeeLimit)
    private static let attachment = JSONSchema.string(
        length: 1...EventRules.attachmentURLLimit, pattern: #"^[hH][tT][tT][pP][sS]?://[^\s]+$"#, format: "iri")

    static let coordinates = JSONSchema.closedObject(
        nil, [("latitude", .number("Degrees north.", -90...90)), ("longitude", .number("Degrees east.", -180...180))],
        example: ["latitude": 37.7749, "longitude": -122.4194])

    /// What there is to say of a field beyond its kind.
    private static let eventProperties: [String: JSONSchema] = [
        "title": title, "description": description, "location": location, "start_time": .time(),
        "end_time": .time("After `start_time`."),
        "created_by": .string("A user's id, or `operator:<login name>`."), "tags": tags, "max_attendees": attendees.orNull(),
        "status": .word(Event.Status.self), "attachment_url": attachment.orNull(),
        "version": .integer("Counts the writes: the `ETag` is this in quotes.", minimum: 1),
    ]

    static let event = JSONSchema.object(
        "The thing with a place and a time.",
        Event.publicFields.map { ($0.name, eventProperties[$0.name] ?? JSONSchema(of: $0)) }, example: eventExample)

    private static let draftAnnotations: [String: JSONSchema] = [
        "title": title, "description": description.orNull(), "location": location.orNull(),
        "start_time": .time("Not in the past when the event is created."), "end_time": .time("After `start_time`."), "tags": tags.orNull(),
        "max_attendees": attendees.orNull(), "status": JSONSchema.word(Event.Status.self, initially: .scheduled).orNull(),
        "attachment_url": attachment.orNull(),
    ]

    private static let draftProperties = Event.contentFields.map {
        (name: $0.name, schema: draftAnnotations[$0.name] ?? JSONSchema(of: $0))
    }

    static let eventDraft = JSONSchema.closedObject(
        "What a person says about an event.", draftProperties,
        optional: Set(draftProperties.map(\.name)).subtracting(EventDraft.requiredFields),
        ignored: EventDraft.readOnlyFields, example: eventDraftExample)

    static let eventPatch = JSONSchema.closedObject(
        "A merge patch (RFC 7396): what is absent stays, `null` takes a field away.", draftProperties,
        optional: Set(draftProperties.map(\.name)), ignored: EventDraft.readOnlyFields,
        example: ["title": "Tech Conference 2040", "max_attendees": .null])

    static let eventPage = page(of: "events", "Event", eventExample, isExact: true)

    // MARK: The journal

    static let restoration = JSONSchema.closedObject(
        nil, [("version", .integer("The version to restore.", 1...Int(Int32.max)))], example: ["version": 1])

    private static let origin: [(name: String, schema: JSONSchema)] = [
        (
            "subject",
            .object("What was changed.", [("type", .word(Subject.Kind.self)), ("id", .string())])
        ),
        ("action", .word(Change.Action.self)),
        ("version", .integer("The subject's version afterwards; the last one, if it was deleted.", minimum: 0)),
        (
            "actor",
            .object("Who did it.", [("type", .word(Actor.Kind.self)), ("id", .string()), ("name", .string())], optional: ["id"])
        ),
        (
            "source",
            .object(
                "How it came in. Address and request id are for admins.",
                [("kind", .word(ChangeSource.Kind.self)), ("address", .string()), ("request_id", .string())],
                optional: ["address", "request_id"])
        ),
        ("traceparent", .string("W3C Trace Context, if the request came with one.")), ("timestamp", .time()),
    ]
    private static let place: [(name: String, schema: JSONSchema)] = [
        ("position", .integer("The place in the journal: 1, 2, 3… without gaps.", minimum: 1)),
        ("change_id", .id("Also the id of the notification about it.")),
    ]
    private static let hash = JSONSchema.string("The SHA-256 of the entry and the hash before it.", pattern: "^[0-9a-f]{64}$")
    private static let originExample: JSONValue = [
        "position": 17, "change_id": exampleID, "subject": ["type": "event", "id": exampleID], "action": "updated", "version": 2,
        "actor": ["type": "user", "id": exampleID, "name": "ada"], "source": ["kind": "http"], "timestamp": exampleTime,
        "hash": "5e11b320834bbd773a854f0a2bce44669e051afc141c8c801716e0e49041ac6b",
    ]

    static let historyEntry = JSONSchema.object(
        "An entry of the journal, with the fields that changed.",
        place + origin + [
            (
                "changes",
                .array(
                    of: .object(
                        nil,
                        [
                            ("field", .string()), ("from", .anything("`null` if it was absent.")),
                            ("to", .anything("`null` if it is absent.")),
                        ]))
            ), ("hash", hash),
        ], optional: ["traceparent"],
        example: originExample.merged(with: ["changes": [["field": "location", "from": "Wien", "to": "Graz"]]]))
    static let journalEntry = JSONSchema.object(
        "An entry of the journal.",
        place + [("format", .integer("Of the entry's canonical form.", minimum: 1))] + origin + [
            ("quiet", .boolean("Whether nobody was notified.")),
            ("before", .anyObject("The fields that changed, as they were; all, if it was deleted.")),
            ("after", .anyObject("All fields afterwards.")), ("hash", hash),
        ], optional: ["traceparent", "quiet", "before", "after"],
        example: originExample.merged(with: ["format": 1, "before": ["location": "Wien"], "after": ["location": "Graz"]]))

    static let historyPage = entries("HistoryEntry", historyEntry)
    static let journalPage = entries("JournalEntry", journalEntry)

    private static func entries(_ kind: String, _ schema: JSONSchema) -> JSONSchema {
        .object(
            nil,
            [
                ("entries", .array(of: .reference(kind))),
                ("next", .string("What `after` takes to read on; `null` at the end.").orNull()),
            ], example: ["entries": [], "next": .null])
    }

    // MARK: People

    private static let username = JSONSchema.string(
        "Unique in any letter case.", length: UserRules.usernameLength, pattern: "^[A-Za-z0-9_]+$")
    private static let email = JSONSchema.string("Unique in any letter case.", length: 3...UserRules.emailLimit, format: "email")
    private static let fullName = JSONSchema.string(length: 0...UserRules.fullNameLimit, pattern: oneLine).orNull()
    private static let password = JSONSchema.string(
        "At least \(UserRules.passwordMinimum) characters and at most \(UserRules.passwordByteLimit) bytes in UTF-8, with an upper-case "
            + "letter, a digit and a special character.", length: UserRules.passwordMinimum...UserRules.passwordByteLimit,
        format: "password", example: "Example123!")

    private static let userExample: JSONValue = [
        "user_id": exampleID, "username": "ada", "email": "ada@example.com", "full_name": "Ada Lovelace", "role": "user",
        "is_active": true, "created_at": exampleTime, "updated_at": exampleTime, "is_verified": false, "last_login": .null,
    ]

    static let user = JSONSchema.object(
        "Email and last log-in are for the user's own eyes and for admins.",
        [
            ("user_id", .id()), ("username", username), ("email", email), ("full_name", fullName), ("role", .word(Role.self)),
            ("is_active", .boolean("Whether the user may log in.")), ("created_at", .time()), ("updated_at", .time()),
            ("is_verified", .boolean()), ("last_login", .time().orNull()),
        ], optional: ["email", "is_verified", "last_login"], example: userExample)

    static let userPage = page(of: "users", "User", userExample, isExact: true)

    static let registration = JSONSchema.closedObject(
        nil, [("email", email), ("username", username), ("password", password), ("full_name", fullName)], optional: ["full_name"],
        ignored: User.readOnlyFields, example: registrationExample)
    static let registrationExample: JSONValue = [
        "email": "grace@example.com", "username": "grace", "password": "Example123!", "full_name": "Grace Hopper",
    ]

    static let profilePatch = JSONSchema.closedObject(
        "A merge patch (RFC 7396): what is absent stays, `\"full_name\": null` takes the name away.",
        [("email", email.orNull()), ("username", username.orNull()), ("full_name", fullName)],
        optional: ["email", "username", "full_name"], ignored: User.readOnlyFields, example: ["full_name": "Ada Lovelace"])

    static let credentials = JSONSchema.closedObject(
        nil, [("username_or_email", .string()), ("password", .string(format: "password"))], example: credentialsExample)
    static let credentialsExample: JSONValue = ["username_or_email": "ada", "password": "Example123!"]

    private static let refreshToken = JSONSchema.string("64 hex characters.")

    static let grant = JSONSchema.object(
        "What a log-in hands out.",
        [
            ("access_token", .string("A JWT (RFC 7519).")), ("token_type", .constant("bearer")),
            ("expires_in", .integer("Seconds.", minimum: 1)), ("refresh_token", refreshToken),
        ],
        example: [
            "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk1In0.c2lnbmF0dXJl", "token_type": "bearer", "expires_in": 1800,
            "refresh_token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ])

    static let refreshRequest = JSONSchema.closedObject(nil, [("refresh_token", refreshToken)], example: refreshExample)
    static let refreshExample: JSONValue = ["refresh_token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]

    static let passwordChange = JSONSchema.closedObject(
        nil, [("current_password", .string(format: "password")), ("new_password", password)], example: passwordExample)
    static let passwordExample: JSONValue = ["current_password": "Example123!", "new_password": "Another456?"]

    static let session = JSONSchema.object(
        "One log-in, or one token an operator issued.",
        [
            ("session_id", .id()), ("user_id", .id()), ("label", .string("What it is for.")), ("created_at", .time()),
            ("expires_at", .time()), ("ended_at", .time().orNull()),
        ],
        example: [
            "session_id": exampleID, "user_id": exampleID, "label": "login", "created_at": exampleTime, "expires_at": exampleTime,
            "ended_at": .null,
        ])

    // MARK: Subscriptions

    static let subscriptionRequest = JSONSchema.closedObject(
        nil, [("event_id", .string("The event's id."))], example: ["event_id": exampleID])

    private static let subscriptionExample: JSONValue = ["event_id": exampleID, "user_id": exampleID, "created_at": exampleTime]

    static let subscription = JSONSchema.object(
        nil, [("event_id", .id()), ("user_id", .id()), ("created_at", .time())], example: subscriptionExample)

    static let subscriptionPage = JSONSchema.object(
        nil,
        [
            ("subscriptions", .array(of: .reference("Subscription"))),
            ("next", .string("What `after` takes to read on; `null` at the end.").orNull()),
        ], example: ["subscriptions": [subscriptionExample], "next": .null])

    // MARK: Notifications

    static let notification = JSONSchema.object(
        "What a user gets to see of a change, or what an operator sent.",
        [
            ("type", .constant("notification")), ("notification_id", .id()), ("notification_type", .word(Notification.Kind.self)),
            (
                "event",
                .object(
                    "The event as it was called then.",
                    [("id", .id()), ("title", .string()), ("action", .string()), ("timestamp", .time())])
            ),
            ("changes", .array(of: .string(), "The fields of the event that an update changed.", upTo: Event.fields.count)),
            ("message", .string("What an operator wrote.")), ("user", .string("The username of who did it.")), ("timestamp", .time()),
            ("is_read", .boolean()),
        ], optional: ["event", "changes", "message"],
        example: [
            "type": "notification", "notification_id": exampleID, "notification_type": "event.created",
            "event": ["id": exampleID, "title": "Tech Conference", "action": "created", "timestamp": exampleTime], "user": "ada",
            "timestamp": exampleTime, "is_read": false,
        ])

    static let unreadCount = JSONSchema.object(nil, [("count", .integer(minimum: 0))], example: ["count": 3])

    static let done = JSONSchema.object(
        nil, [("status", .constant("success")), ("message", .string())],
        example: ["status": "success", "message": "3 notifications marked as read"])

    // MARK: Operations

    static let health = JSONSchema.object(nil, [("status", .constant("ok"))], example: ["status": "ok"])

    static let readiness = JSONSchema.object(
        "`degraded`: the broker is away, or its messages cannot be recorded; everything is served, and changes wait.",
        [
            ("status", .string(pattern: "^(ready|degraded)$")), ("store", .constant("ok")), ("broker", .string("`ok`, or what is wrong.")),
            ("queued_changes", .integer(minimum: 0)),
            ("unacknowledged_changes", .integer("Of the queued: delivered, and not recorded yet.", minimum: 0)),
            ("dead_letters", .integer(minimum: 0)), ("consumer", .string("`ok`, or why changes are not recorded.")),
            ("consumer_failing_since", .time().orNull()),
            ("pending_changes", .integer("Stored, and not handed over to consumers yet.", minimum: 0)),
            ("oldest_pending_change", .time().orNull()),
        ], optional: ["queued_changes", "unacknowledged_changes", "dead_letters"],
        example: [
            "status": "ready", "store": "ok", "broker": "ok", "queued_changes": 0, "unacknowledged_changes": 0, "dead_letters": 0,
            "consumer": "ok", "consumer_failing_since": .null, "pending_changes": 0, "oldest_pending_change": .null,
        ])

    static let keySet = JSONSchema.object(
        "The public keys that verify access tokens (RFC 7517); none with HS256, whose key is secret.",
        [("keys", .array(of: .object(nil, [("kty", .string()), ("kid", .string()), ("alg", .string()), ("use", .constant("sig"))])))],
        example: ["keys": []])

    // MARK: Errors

    static let problem = JSONSchema.object(
        "A problem document (RFC 9457).",
        [
            ("type", .string()), ("title", .string()), ("status", .integer(nil, 400...599)), ("code", .word(ErrorCode.self)),
            ("detail", .string("What is wrong, and how to mend it.")), ("instance", .string("The path that was asked for.")),
            (
                "errors",
                .array(
                    of: .object(
                        nil,
                        [
                            ("loc", .array(of: .string(), "The way to the field, such as `[\"body\", \"title\"]`.")), ("msg", .string()),
                            ("type", .string("A stable word for programs.")),
                        ]), "With 422: every fault.")
            ),
        ], optional: ["instance", "errors"], example: problemExample(.notFound))

    static func problemExample(_ code: ErrorCode) -> JSONValue {
        [
            "type": "about:blank", "title": .string(code.title), "status": .integer(Int64(code.httpStatus)),
            "code": .string(code.rawValue), "detail": .string(code.title.lowercased()), "instance": "/events",
        ]
    }

    private static func page(of name: String, _ kind: String, _ example: JSONValue, isExact: Bool = false) -> JSONSchema {
        var properties: [(name: String, schema: JSONSchema)] = [
            (name, .array(of: .reference(kind))), ("total", .integer("How many there are in all.", minimum: 0)),
            ("page", .integer(minimum: 1)), ("page_size", .integer(nil, PageRequest.sizeRange)),
            ("next", .string("What `after` takes to read on; `null` at the end.").orNull()),
        ]
        var sample: JSONValue = .object([
            .init(name: name, value: [example]), .init(name: "total", value: 1), .init(name: "page", value: 1),
            .init(name: "page_size", value: 10), .init(name: "next", value: .null),
        ])
        if isExact {
            properties.insert(("total_is_exact", .boolean("`false` where counting stopped at a bound.")), at: 2)
            if case .object(let members) = sample { sample = .object(members + [.init(name: "total_is_exact", value: true)]) }
        }
        return .object(nil, properties, example: sample)
    }
}

extension JSONSchema {
    /// Of the values of a field. What a person says may be absent.
    fileprivate init<Entity>(of field: Field<Entity>) {
        let schema: JSONSchema =
            switch field.kind {
            case .id: .id()
            case .text, .digest: .string()
            case .integer: .integer(nil, minimum: 0)
            case .flag: .boolean()
            case .time: .time()
            case .texts: .array(of: .string())
            case .place: .reference("Coordinates")
            case .origin: .anyObject("Where it came from.")
            }
        self = field.role == .content ? schema.orNull() : schema
    }
}
