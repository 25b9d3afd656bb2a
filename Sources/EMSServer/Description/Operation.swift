import EMSCore

/// What one can do at a path: the part of the OpenAPI document that tells of it, declared beside the route that does it.
struct Operation: Sendable {
    enum Access: Sendable {
        case anyone
        /// Who has an access token.
        case bearer
    }

    /// Under which heading it stands.
    enum Tag: String, CaseIterable, Sendable {
        case authentication = "Authentication"
        case users = "Users"
        case events = "Events"
        case subscriptions = "Subscriptions"
        case notifications = "Notifications"
        case journal = "Journal"
        case operations = "Operations"
    }

    /// Its name for programs: unique, lower camel case.
    let id: String
    let tag: Tag
    let summary: String
    var details: String?
    var access = Access.bearer
    var parameters: [ParameterDescription] = []
    var body: Body?
    let answers: [Answer]
    /// Whether an answer may be given again, and to what it belongs; `nil` where every request is worked on.
    var keeping: Keeping?
    /// The errors of its own, besides those that follow from what it takes.
    var errors: [ErrorCode] = []

    /// What an answer depends on, besides the URL: nothing else that a client sends, and no time.
    struct Keeping: Sendable {
        let part: StorePart
        /// Whether each user gets another one.
        var isPersonal = false
        /// Whether also with a query.
        var withQuery = true
    }

    struct Body: Sendable {
        let schema: JSONSchema
        var mediaTypes = ["application/json"]
        let example: JSONValue
    }

    /// An answer that is no error.
    struct Answer: Sendable {
        let status: Int
        let description: String
        var content: Content?
        var headers: [ResponseHeader] = []
        var links: [Link] = []

        struct Content: Sendable {
            let mediaType: String
            let schema: JSONSchema
            var example: JSONValue?
        }

        static func json(
            _ status: Int = 200, _ description: String, _ schema: JSONSchema, example: JSONValue? = nil, headers: [ResponseHeader] = [],
            links: [Link] = []
        ) -> Answer {
            Answer(
                status: status, description: description,
                content: Content(mediaType: "application/json", schema: schema, example: example), headers: headers, links: links)
        }

        static func text(_ description: String, _ mediaType: String) -> Answer {
            Answer(status: 200, description: description, content: Content(mediaType: mediaType, schema: .string()))
        }

        static func empty(_ status: Int = 204, _ description: String, headers: [ResponseHeader] = []) -> Answer {
            Answer(status: status, description: description, headers: headers)
        }
    }

    /// What one may ask next, with an id out of the answer.
    struct Link: Sendable {
        /// The ``Operation/id`` of what may be asked.
        let operation: String
        let parameter: String
        /// Where in the answer's body the value stands (RFC 6901).
        let pointer: String
    }

    /// All errors it may answer with, each once: what was declared, and what follows from what it takes.
    var allErrors: [ErrorCode] {
        var all = errors
        if access == .bearer { all += [.unauthenticated, .tokenExpired, .tokenRevoked] }
        if body != nil { all += [.tooLarge, .unsupportedMediaType, .invalid] }
        // Also where there are no parameters: unknown ones are refused.
        if tag != .operations { all.append(.invalid) }
        if parameters.contains(where: { $0.place == .path }) { all.append(.notFound) }
        if producesContent { all.append(.notAcceptable) }
        // What is no request of HTTP reaches no route.
        all += [.malformed, .headersTooLarge]
        // Where the server or its store is at the end of its means.
        all += [.rateLimited, .internal, .busy, .unreachable]
        // Also of what only reads: a session's use is written down, and attempts are counted.
        if tag != .operations { all.append(.storeFull) }
        return ErrorCode.allCases.filter(all.contains)
    }

    /// The names of the query parameters.
    var queryNames: [String] { parameters.filter { $0.place == .query }.map(\.name) }

    /// Whether an answer has a body, about whose type the client may have a wish.
    var producesContent: Bool { answers.contains { $0.content != nil } }

    /// Whether an answer of this status is one of those declared.
    func declares(_ status: Int) -> Bool {
        answers.contains { $0.status == status } || allErrors.contains { $0.httpStatus == status }
    }
}

/// A header of an answer.
enum ResponseHeader: String, CaseIterable, Sendable {
    case eTag = "ETag"
    case location = "Location"
    case link = "Link"
    case retryAfter = "Retry-After"
    case authenticate = "WWW-Authenticate"
    case rateLimit = "RateLimit-Limit"
    case rateLimitRemaining = "RateLimit-Remaining"
    case rateLimitReset = "RateLimit-Reset"

    var description: (summary: String, schema: JSONSchema) {
        switch self {
        case .eTag: ("The version, for If-Match and If-None-Match.", .string(example: "\"1\""))
        case .location: ("Where the new thing is found.", .string(format: "uri-reference"))
        case .link: ("Where to read on: `rel=\"next\"` (RFC 8288).", .string())
        case .retryAfter: ("After how many seconds another try may succeed.", .integer(minimum: 1))
        case .authenticate: ("How to authenticate (RFC 6750).", .string(example: "Bearer"))
        case .rateLimit: ("How many requests the present window has.", .integer(minimum: 1))
        case .rateLimitRemaining: ("How many of them are left.", .integer(minimum: 0))
        case .rateLimitReset: ("In how many seconds the window ends.", .integer(minimum: 0))
        }
    }
}
