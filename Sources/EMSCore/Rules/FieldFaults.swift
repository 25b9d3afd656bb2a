/// Gathers what is wrong with the fields of something, to be told all at once.
struct FieldFaults {
    private var faults: [FieldError] = []

    mutating func add(_ field: String, _ message: String, type: String = "value_error") {
        faults.append(FieldError(["body"] + field.split(separator: ".").map(String.init), message, type: type))
    }

    /// Checks the length, in Unicode scalars, and that no control character hides in the text.
    mutating func check(_ field: String, _ text: String, length: ClosedRange<Int>, multiline: Bool = false) {
        guard text.isStreamSafe else {
            return add(field, "must not have more than \(String.markLimit) combining marks behind a letter")
        }
        let count = text.unicodeScalars.count
        if count < length.lowerBound {
            add(
                field, length.lowerBound == 1 ? "must not be empty" : "must have at least \(length.lowerBound) characters",
                type: "string_too_short")
        }
        if count > length.upperBound {
            add(field, "must have at most \(length.upperBound) characters, this one has \(count)", type: "string_too_long")
        }
        let hasControl = text.unicodeScalars.contains {
            Printable.isControl($0) && !(multiline && ["\n", "\r", "\t"].contains($0))
        }
        if hasControl { add(field, "must not hold control characters") }
    }

    func finish() throws {
        if !faults.isEmpty { throw EMSError.invalid(faults) }
    }
}

/// What holds for all text that people write.
public enum TextRules {
    /// The text without white space at its ends.
    public static func trimmed(_ text: String) -> String {
        let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isSpace($0) }), let last = scalars.lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(scalars[first...last])
    }
}
