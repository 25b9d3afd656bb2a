import EMSCore

/// What an event keeps of the calendar that it came from: whole content lines, every component closed. A line feed separates them in
/// `external_properties`, which any program may have written.
struct KeptLines {
    /// What can stand within a `VEVENT`; all else is left out.
    private(set) var lines: [ContentLine] = []
    /// Whether nothing was left out.
    private(set) var isWhole = true

    /// What would end the event, or begin another.
    private static let outer: Set<String> = ["VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"]

    init(_ text: String) {
        /// The components that are open, each with the place of its first line; `nil` for one that is left out.
        var open: [(name: String, place: Int?)] = []
        for piece in text.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
            guard piece.allSatisfy({ !$0.isControl }), let line = ContentLine(String(piece)) else {
                isWhole = false
                continue
            }
            let isOut = open.contains { $0.place == nil }
            switch line.name {
            case "BEGIN":
                let name = line.value.uppercased()
                let isKept = !isOut && !Self.outer.contains(name)
                open.append((name, isKept ? lines.count : nil))
                if isKept { lines.append(line) } else { isWhole = false }
            case "END":
                guard let last = open.last, last.name == line.value.uppercased() else {
                    isWhole = false
                    continue
                }
                open.removeLast()
                if last.place != nil { lines.append(line) }
            default:
                if !isOut { lines.append(line) }
            }
        }
        // What does not end is left out from its beginning.
        guard let first = open.first else { return }
        isWhole = false
        if let place = first.place { lines.removeSubrange(place...) }
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/invalid`` where a record brings what no calendar could hold.
    static func check(_ record: JSONValue) throws {
        guard let text = record["external_properties"]?.string, text.utf8.count <= EventOrigin.propertiesLimit, !KeptLines(text).isWhole
        else { return }
        throw EMSError.invalid(
            "external_properties", "must hold content lines of iCalendar for one event, each component closed and no control characters")
    }
}
