import EMSCore

/// How far an import has come, on a terminal: a bar where the length is known, the rate, and the time that is left.
final class ImportProgress {
    private let line = ProgressLine()
    private let verb: String
    private let bytes: Int?
    private let start = ContinuousClock.now
    private var bytesRead = 0
    private var rows = 0

    /// - Parameter bytes: how long the file is; `nil` where that is not known.
    init(_ verb: String, bytes: Int?) {
        self.verb = verb
        self.bytes = bytes
    }

    func read(_ count: Int) { bytesRead += count }

    func show(_ rows: Int) {
        self.rows = rows
        line.show(text(after: start.duration(to: .now)))
    }

    /// Words that stay, above the bar.
    func write(_ text: String) {
        line.end()
        StandardError.write(text)
    }

    func end() { line.end() }

    func text(after elapsed: Duration) -> String {
        let seconds = max(0.001, Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
        let rate = Int(Double(rows) / seconds)
        let counted = "\(Self.grouped(rows)) rows, \(Self.grouped(rate)) rows/s"
        guard let bytes, bytes > 0 else { return "\(verb) \(counted)" }
        let share = min(1, Double(bytesRead) / Double(bytes))
        let filled = Int(share * 20)
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: 20 - filled)
        var text = "\(verb) [\(bar)] \(Int(share * 100)) %  \(counted)"
        if share > 0, seconds > 1 {
            let left = Int(seconds / share * (1 - share))
            text += ", \(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60) left"
        }
        return text
    }

    /// `1,234,567`.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text = "," + text }
            text = String(digit) + text
        }
        return text
    }
}
