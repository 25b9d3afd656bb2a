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

    /// Whether any field is given.
    var isEmpty: Bool {
        title == nil && description == nil && location == nil && start == nil && end == nil && tags.isEmpty && maxAttendees == nil
            && status == nil && attachmentUrl == nil && place == nil
    }

    /// - Parameter zone: where times are at home that name none.
    func patch(in zone: Zone) -> EventPatch {
        var patch = EventPatch()
        patch.title = title
        patch.description = description
        patch.location = location
        patch.startTime = start?.moment(in: zone)
        patch.endTime = end?.moment(in: zone)
        patch.tags = tags.isEmpty ? nil : tags
        patch.status = status
        patch.maxAttendees = maxAttendees.map { .some($0) }
        patch.attachmentURL = attachmentUrl.map { .some($0) }
        patch.coordinates = place.map { .some($0.coordinates) }
        return patch
    }
}
