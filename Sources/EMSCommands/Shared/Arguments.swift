import ArgumentParser
import EMSCore

/// A moment on the command line. A wrong one is a usage error.
struct TimeArgument: ExpressibleByArgument {
    let timestamp: Timestamp

    init?(argument: String) {
        guard let timestamp = Timestamp(argument) else { return nil }
        self.timestamp = timestamp
    }

    static let help = "ISO 8601, such as 2027-03-01T09:00:00Z; UTC where no zone is said"
}

/// `latitude,longitude` on the command line.
struct PlaceArgument: ExpressibleByArgument {
    let coordinates: Coordinates

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let latitude = parts[0], let longitude = parts[1] else { return nil }
        coordinates = Coordinates(latitude: latitude, longitude: longitude)
    }
}

/// A length of time on the command line: `45s`, `30m`, `12h`, `90d`.
struct DurationArgument: ExpressibleByArgument {
    let seconds: Int64

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()), count > 0,
            count <= 36_500 * 86_400 / unit
        else { return nil }
        seconds = count * unit
    }
}

extension ID: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Role: ExpressibleByArgument {}
extension Event.Status: ExpressibleByArgument {}
extension EventQuery.Sort: ExpressibleByArgument {}

/// A user as people name one: by username, email or id.
struct UserArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The user: a username, an email or an id.", valueName: "user"))
    var name: String
}

/// The event a command is about.
struct EventArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The event's id.", valueName: "event-id"))
    var id: EventID
}
