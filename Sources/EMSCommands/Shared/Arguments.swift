import ArgumentParser
import EMSCore

/// `latitude,longitude` on the command line.
struct PlaceArgument: ExpressibleByArgument {
    let coordinates: Coordinates

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double(decimal: $0) }
        guard parts.count == 2, let latitude = parts[0], let longitude = parts[1] else { return nil }
        coordinates = Coordinates(latitude: latitude, longitude: longitude)
    }
}

/// A length of time on the command line: `45s`, `30m`, `12h`, `90d`, `2w`.
struct DurationArgument: ExpressibleByArgument {
    let seconds: Int64

    init(seconds: Int64) {
        self.seconds = seconds
    }

    init?(argument: String) {
        guard let seconds = TimeSpan.seconds(argument) else { return nil }
        self.seconds = seconds
    }

    /// As it would be said, for `--help`.
    var defaultValueDescription: String {
        let unit = [(86_400, "d"), (3600, "h"), (60, "m")].first { seconds % $0.0 == 0 }
        return unit.map { "\(seconds / $0.0)\($0.1)" } ?? "\(seconds)s"
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
    @Argument(help: ArgumentHelp("The user: a username, an email or an id.", valueName: "user"), completion: .users)
    var name: String
}

/// The event a command is about.
struct EventArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The event's id.", valueName: "event-id"), completion: .events)
    var id: EventID
}
