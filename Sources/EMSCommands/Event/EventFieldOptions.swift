import ArgumentParser
import EMSCore

/// The fields of an event that both creating and updating can set.
struct EventFieldOptions: ParsableArguments {
    @Option(help: "The title: 1 to 100 characters.")
    var title: String?

    @Option(help: "What it is about.")
    var description: String?

    @Option(help: "Where it takes place.")
    var location: String?

    @Option(help: ArgumentHelp("When it begins: \(TimeArgument.help).", valueName: "time"))
    var start: TimeArgument?

    @Option(help: ArgumentHelp("When it ends.", valueName: "time"))
    var end: TimeArgument?

    @Option(name: .customLong("tag"), help: ArgumentHelp("A tag; may be given several times.", valueName: "tag"), completion: .tags)
    var tags: [String] = []

    @Option(help: "How many may come.")
    var maxAttendees: Int?

    @Option(help: "scheduled, canceled or completed.")
    var status: Event.Status?

    @Option(help: "An http or https URL.")
    var attachmentUrl: String?

    @Option(name: .customLong("at"), parsing: .unconditional, help: ArgumentHelp("The place on the map.", valueName: "lat,lon"))
    var place: PlaceArgument?

    /// Whether no field is given.
    var isEmpty: Bool { patch(in: .utc) == .object([]) }

    /// The fields that are given, as a merge patch (RFC 7396).
    /// - Parameter zone: where times are at home that name none.
    func patch(in zone: Zone) -> JSONValue {
        let fields: [(name: String, value: JSONValue?)] = [
            ("title", title.map { .string($0) }), ("description", description.map { .string($0) }),
            ("location", location.map { .string($0) }), ("start_time", start.map { .string($0.moment(in: zone).description) }),
            ("end_time", end.map { .string($0.moment(in: zone).description) }),
            ("tags", tags.isEmpty ? nil : .array(tags.map { .string($0) })), ("max_attendees", maxAttendees.map { .integer(Int64($0)) }),
            ("status", status.map { .string($0.rawValue) }), ("attachment_url", attachmentUrl.map { .string($0) }),
            (
                "coordinates",
                place.map { ["latitude": .number($0.coordinates.latitude), "longitude": .number($0.coordinates.longitude)] }
            ),
        ]
        return .object(fields.compactMap { field in field.value.map { JSONValue.Member(name: field.name, value: $0) } })
    }
}
