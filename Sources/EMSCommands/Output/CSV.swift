/// Comma-separated values (RFC 4180), with a line feed at the end of a line.
enum CSV {
    static func line(_ fields: [String]) -> String {
        fields.map(field).joined(separator: ",") + "\n"
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
