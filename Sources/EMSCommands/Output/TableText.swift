import EMSCore

/// Rows as aligned text. Widths come from the header and the first rows; what is wider later pushes its line, and is not cut, unless the
/// lines must fit a terminal.
struct TableText {
    /// The columns that found no place.
    let omitted: [String]
    private let widths: [Int]
    private let header: [String]
    /// The places of the columns that are shown.
    private let shown: [Int]
    private let isFitted: Bool

    /// What a column has at the least that is cut.
    private static let narrowest = 12
    private static let gap = 2

    /// - Parameters:
    ///   - width: how many columns the terminal has; `nil` where there is none.
    ///   - mayOmit: whether columns may be left out, from the right, where there is no room for them.
    init(header names: [String], rows: [[String]], width: Int? = nil, mayOmit: Bool = false) {
        header = names.map { $0.uppercased() }
        var widths = names.indices.map { index in
            max(DisplayWidth.of(names[index]), rows.map { DisplayWidth.of($0[index]) }.max() ?? 0)
        }
        var shown = Array(names.indices)
        func total() -> Int { shown.reduce(0) { $0 + widths[$1] } + Self.gap * max(0, shown.count - 1) }
        isFitted = width.map { total() > $0 } ?? false
        if let width, isFitted {
            // Times need no seconds to be recognised; ids and words of ours are never cut.
            for index in names.indices where names[index].isTime { widths[index] = max(DisplayWidth.of(names[index]), Self.shortTime) }
            // No column can be wider than the whole: what holds megabytes is not narrowed step by step.
            for index in names.indices where !names[index].isTime && !names[index].isWhole {
                widths[index] = min(widths[index], max(width, Self.narrowest))
            }
            func flexible() -> [Int] { shown.filter { !names[$0].isTime && !names[$0].isWhole } }
            func least() -> Int {
                let cut = flexible()
                return total() - cut.reduce(0) { $0 + max(0, widths[$1] - Self.narrowest) }
            }
            while mayOmit, least() > width, let last = flexible().last, flexible().count > 1 { shown.removeAll { $0 == last } }
            while total() > width, let widest = flexible().max(by: { widths[$0] < widths[$1] }), widths[widest] > 4 { widths[widest] -= 1 }
        }
        omitted = names.indices.filter { !shown.contains($0) }.map { names[$0] }
        self.widths = widths
        self.shown = shown
    }

    func headerLine(isColoured: Bool = false) -> String {
        let text = line(header)
        return isColoured ? Style.bold.applied(to: String(text.dropLast())) + "\n" : text
    }

    func line(_ cells: [String], isColoured: Bool = false) -> String {
        var text = ""
        for (place, index) in shown.enumerated() {
            var cell = cells[index]
            if isFitted { cell = fitted(cell, index) }
            let padding = place < shown.count - 1 ? max(0, widths[index] - DisplayWidth.of(cell)) + Self.gap : 0
            if isColoured, let style = Style(status: cell, in: header[index]) { cell = style.applied(to: cell) }
            text += cell + String(repeating: " ", count: padding)
        }
        return text + "\n"
    }

    private func fitted(_ cell: String, _ index: Int) -> String {
        if header[index].lowercased().isTime, cell.utf8.count > Self.shortTime, cell != header[index] { return Self.shortened(cell) }
        return DisplayWidth.cut(cell, to: widths[index])
    }

    /// `2027-03-01T09:00Z`
    private static let shortTime = 17

    private static func shortened(_ time: String) -> String {
        String(time.prefix(16)) + (time.hasSuffix("Z") ? "Z" : String(time.suffix(6)))
    }

    /// Names and values of one thing, a line each.
    static func pairs(_ pairs: [(String, String)], isColoured: Bool = false) -> String {
        let width = pairs.map { DisplayWidth.of($0.0) }.max() ?? 0
        return pairs.map { name, value in
            let shown = isColoured ? Style.bold.applied(to: name) : name
            let styled = isColoured ? Style(status: value, in: name.uppercased())?.applied(to: value) ?? value : value
            return shown + String(repeating: " ", count: width - DisplayWidth.of(name) + 2) + styled + "\n"
        }.joined()
    }

    /// A cell for programs.
    static func plain(_ cell: Cell, in zone: Zone) -> String {
        switch cell {
        case .text(let text): text
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .time(let time): zone.text(time)
        case .none: ""
        }
    }

    /// A cell for eyes: on one line, without anything a terminal would obey.
    static func shown(_ cell: Cell, in zone: Zone) -> String {
        switch cell {
        case .none: "-"
        case .text(""): "-"
        case .text(let text): Printable.stripped(text.replacing("\n", with: " "))
        case .number, .flag, .time: plain(cell, in: zone)
        }
    }
}

extension String {
    /// Whether a column of this name holds times.
    fileprivate var isTime: Bool { hasSuffix("_time") || hasSuffix("_at") || self == "timestamp" }
    /// Whether what a column of this name holds would mean nothing if it were cut.
    fileprivate var isWhole: Bool {
        hasSuffix("_id") || ["status", "role", "is_active", "notification_type", "is_read", "is_verified", "signs"].contains(self)
    }
}

extension Style {
    /// The colour of a word that tells how something is.
    fileprivate init?(status: String, in column: String) {
        guard ["STATUS", "IS_ACTIVE", "STATE", "RESULT"].contains(column) else { return nil }
        switch status {
        case "scheduled", "true", "ok": self = .green
        case "canceled", "false", "failure", "unreachable": self = .red
        case "warning": self = .yellow
        case "completed": self = .dim
        default: return nil
        }
    }
}

/// How many columns of a terminal a text takes.
enum DisplayWidth {
    static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width(of: $1) }
    }

    /// The text in at most so many columns; what is cut ends with an ellipsis.
    static func cut(_ text: String, to limit: Int) -> String {
        guard of(text) > limit else { return text }
        var result = ""
        var used = 0
        for character in text {
            let width = width(of: character)
            if used + width > limit - 1 { break }
            result.append(character)
            used += width
        }
        return result + "…"
    }

    private static func width(of character: Character) -> Int {
        let scalars = character.unicodeScalars
        // An emoji is one, however many it is joined of.
        if scalars.contains(where: { $0.properties.isEmojiPresentation || $0 == "\u{FE0F}" }) { return 2 }
        // Other characters that Swift counts as one have a place for each of their letters.
        return scalars.reduce(0) { $0 + width(of: $1) }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        let properties = scalar.properties
        // The vowels and finals of decomposed Hangul join the letter before.
        if properties.isDefaultIgnorableCodePoint || (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FF).contains(scalar.value) {
            return 0
        }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark, .format: return 0
        default: return isWide(scalar.value) ? 2 : 1
        }
    }

    /// The wide and full-width ranges of Unicode Standard Annex 11.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265,
            0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
