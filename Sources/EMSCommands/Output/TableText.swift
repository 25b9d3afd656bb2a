import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Rows as aligned text. Widths come from the header and the first rows; what is wider later pushes its line, and is not cut.
struct TableText {
    private let widths: [Int]
    private let header: [String]

    init(header: [String], rows: [[String]]) {
        let header = header.map { $0.uppercased() }
        self.header = header
        widths = header.indices.map { index in
            max(DisplayWidth.of(header[index]), rows.map { DisplayWidth.of($0[index]) }.max() ?? 0)
        }
    }

    var headerLine: String { line(header) }

    func line(_ cells: [String]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            text += cell
            if index < cells.count - 1 {
                text += String(repeating: " ", count: max(0, widths[index] - DisplayWidth.of(cell)) + 2)
            }
        }
        return text + "\n"
    }

    /// Names and values of one thing, a line each.
    static func pairs(_ pairs: [(String, String)]) -> String {
        let width = pairs.map { DisplayWidth.of($0.0) }.max() ?? 0
        return pairs.map { name, value in
            name + String(repeating: " ", count: width - DisplayWidth.of(name) + 2) + value + "\n"
        }.joined()
    }

    /// A cell for programs.
    static func plain(_ cell: Cell, isLocal: Bool) -> String {
        switch cell {
        case .text(let text): text
        case .number(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .time(let time): isLocal ? localTime(time) : time.description
        case .none: ""
        }
    }

    /// A cell for eyes: on one line, without anything a terminal would obey.
    static func shown(_ cell: Cell, isLocal: Bool) -> String {
        switch cell {
        case .none: "-"
        case .text(""): "-"
        case .text(let text): Printable.stripped(text.replacing("\n", with: " "))
        case .number, .flag, .time: plain(cell, isLocal: isLocal)
        }
    }

    private static func localTime(_ time: Timestamp) -> String {
        var seconds = time_t(time.secondsSinceEpoch)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 40)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S%z", &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// How many columns of a terminal a text takes.
enum DisplayWidth {
    static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width(of: $1) }
    }

    private static func width(of character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        let properties = first.properties
        if properties.isDefaultIgnorableCodePoint || [.nonspacingMark, .enclosingMark].contains(properties.generalCategory) { return 0 }
        let isEmoji = properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}")
        return isEmoji || isWide(first.value) ? 2 : 1
    }

    /// The wide and full-width ranges of Unicode Standard Annex 11.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
