import EMSCore
import Foundation

/// A time zone: how far clocks there are ahead of UTC, at any moment.
enum Zone: Sendable {
    case utc
    /// The machine's: what `TZ` or `/etc/localtime` says.
    case system
    case named(TimeZone)

    /// A zone of the IANA database, `UTC` or `local`.
    init?(name: String) {
        switch name.lowercased() {
        case "utc", "z", "gmt", "etc/utc": self = .utc
        case "local": self = .system
        default:
            // Names of places only. An abbreviation (EST, IST, BST) means another zone to each who writes it, and Foundation would take it
            // for one of them; so would it read offsets.
            guard Self.isPlace(name), let zone = TimeZone(identifier: name) else { return nil }
            self = .named(zone)
        }
    }

    /// `Europe/Vienna`, `Etc/GMT+5`; `Japan`, but not `JST`.
    private static func isPlace(_ name: String) -> Bool {
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), name.utf8.count <= 64 else { return false }
        if name.contains("/") { return name.utf8.first != UInt8(ascii: "/") }
        return name.utf8.count >= 4 && name.utf8.dropFirst().allSatisfy { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
    }

    /// What it is called when a time is said back.
    var name: String {
        switch self {
        case .utc: "UTC"
        case .system: "local time"
        case .named(let zone): zone.identifier
        }
    }

    /// How many seconds clocks are ahead of UTC at the moment.
    func offset(at moment: Timestamp) -> Int64 {
        switch self {
        case .utc: return 0
        case .system:
            var seconds = time_t(moment.secondsSinceEpoch)
            var parts = tm()
            localtime_r(&seconds, &parts)
            return Int64(parts.tm_gmtoff)
        case .named(let zone):
            return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.milliseconds) / 1000)))
        }
    }

    /// The moment at which clocks show this.
    func moment(at clock: ClockTime) -> Timestamp { clock.moment { offset(at: $0) } }

    /// What clocks show at the moment.
    func clock(at moment: Timestamp) -> ClockTime {
        ClockTime(milliseconds: moment.adding(seconds: offset(at: moment)).milliseconds)
    }

    /// Whether clocks show the same at another moment.
    func isAmbiguous(_ moment: Timestamp) -> Bool {
        let shown = clock(at: moment)
        return [-86_400, 86_400].contains { (distance: Int64) in
            let other = Timestamp(milliseconds: shown.milliseconds).adding(seconds: -offset(at: moment.adding(seconds: distance)))
            return other != moment && clock(at: other) == shown
        }
    }

    /// ISO 8601 with the offset: `2027-03-01T10:00:00+01:00`; with `Z` for UTC.
    func text(_ moment: Timestamp) -> String {
        guard case .utc = self else {
            let offset = offset(at: moment)
            let shifted = moment.adding(seconds: offset).description
            let minutes = abs(offset) / 60
            let digits = [minutes / 60, minutes % 60].map { ($0 < 10 ? "0" : "") + String($0) }
            return shifted.prefix(19) + (offset < 0 ? "-" : "+") + digits.joined(separator: ":")
        }
        return moment.description
    }
}

/// What a clock on the wall shows, whatever the zone: milliseconds since 1970-01-01T00:00 there.
struct ClockTime: Equatable, Sendable {
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    init(day: Int64, seconds: Int64 = 0) {
        milliseconds = (day * 86_400 + seconds) * 1000
    }

    /// Days since 1970-01-01.
    var day: Int64 { Int64((Double(milliseconds) / 86_400_000).rounded(.down)) }

    /// The moment, given how far the clock is ahead of UTC. What the clock shows twice is the first of the two; what it never shows
    /// counts from the offset before (RFC 5545, section 3.3.5).
    func moment(_ offset: (Timestamp) -> Int64) -> Timestamp {
        let day: Int64 = 86_400_000
        let shown = min(max(Timestamp(milliseconds: milliseconds), .earliest), .latest)
        let before = offset(shown.adding(milliseconds: -day))
        let first = shown.adding(seconds: -before)
        if offset(first) == before { return first }
        let after = offset(shown.adding(milliseconds: day))
        let second = shown.adding(seconds: -after)
        return offset(second) == after ? second : first
    }
}
