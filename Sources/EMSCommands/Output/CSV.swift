/// Comma-separated values (RFC 4180), with a line feed at the end of a line.
enum CSV {
    /// What a spreadsheet takes for the beginning of a formula.
    private static let formulaMarks: Set<Unicode.Scalar> = ["=", "+", "-", "@", "\t", "\r"]

    /// A cell that no spreadsheet executes: what looks like a formula gets an apostrophe in front, which says that text follows. A number is
    /// left as it is. See ``restored(_:)``.
    static func neutralised(_ text: String) -> String { isFormula(text) && !isNumber(text) ? "'" + text : text }

    /// The cell without the apostrophe that ``neutralised(_:)`` put in front.
    static func restored(_ text: String) -> String { text.hasPrefix("'") && isFormula(text) ? String(text.dropFirst()) : text }

    /// Apostrophes in front are looked past, so that a text which brings one of its own comes back with it.
    private static func isFormula(_ text: String) -> Bool {
        text.unicodeScalars.first { $0 != "'" }.map(formulaMarks.contains) ?? false
    }

    /// A decimal number as programs write it, such as `-12.5` or `1e-05`.
    static func isNumber(_ text: String) -> Bool {
        Double(decimal: text) != nil
    }

    static func line(_ fields: [String]) -> String {
        fields.map(field).joined(separator: ",") + "\n"
    }

    /// The same of cells that may be no text.
    static func line(_ fields: [[UInt8]]) -> [UInt8] {
        fields.map { field -> [UInt8] in
            let quote = UInt8(ascii: "\"")
            guard field.contains(where: { [UInt8(ascii: ","), quote, 0x0A, 0x0D].contains($0) }) else { return field }
            return [quote] + field.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
        }.joined(separator: [UInt8(ascii: ",")]) + [0x0A]
    }

    /// Scalar by scalar: before a combining mark a comma or a quote is another character, and yet one for whoever reads bytes.
    private static func field(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard scalars.contains(where: { ",\"\n\r\u{2028}\u{2029}".unicodeScalars.contains($0) }) else { return text }
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in scalars {
            if scalar == "\"" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }
}
