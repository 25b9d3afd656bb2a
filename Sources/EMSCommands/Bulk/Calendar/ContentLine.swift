import EMSCore

/// One content line of iCalendar (RFC 5545, section 3.1), unfolded: `DTSTART;TZID=Europe/Vienna:20270301T090000`.
struct ContentLine: Equatable {
    /// In upper case.
    let name: String
    let parameters: [(name: String, value: String)]
    let value: String
    /// As it was read.
    let text: String

    /// - Returns: `nil` if the text is not a content line, or not ``Swift/String/isStreamSafe``.
    init?(_ text: String) {
        guard text.isStreamSafe else { return nil }
        self.text = text
        let scalars = Array(text.unicodeScalars)
        var index = 0
        func word() -> String {
            let start = index
            while index < scalars.count, scalars[index].isNameCharacter { index += 1 }
            return String(String.UnicodeScalarView(scalars[start..<index]))
        }
        name = word().uppercased()
        guard !name.isEmpty else { return nil }
        var parameters: [(String, String)] = []
        while index < scalars.count, scalars[index] == ";" {
            index += 1
            let parameter = word().uppercased()
            guard !parameter.isEmpty, index < scalars.count, scalars[index] == "=" else { return nil }
            index += 1
            let start = index
            var isQuoted = false
            while index < scalars.count, isQuoted || (scalars[index] != ";" && scalars[index] != ":") {
                if scalars[index] == "\"" { isQuoted.toggle() }
                index += 1
            }
            let value = scalars[start..<index].filter { $0 != "\"" }
            parameters.append((parameter, String(String.UnicodeScalarView(value))))
        }
        guard index < scalars.count, scalars[index] == ":" else { return nil }
        value = String(String.UnicodeScalarView(scalars[(index + 1)...]))
        self.parameters = parameters
    }

    static func == (left: ContentLine, right: ContentLine) -> Bool { left.text == right.text }

    subscript(parameter: String) -> String? { parameters.first { $0.name == parameter }?.value }

    // MARK: Text values (section 3.3.11)

    var unescaped: String { Self.unescaped(value.unicodeScalars[...]) }

    /// The elements of a list, such as `CATEGORIES` has.
    var list: [String] {
        var elements: [String] = []
        var start = value.unicodeScalars.startIndex
        var isEscaped = false
        for index in value.unicodeScalars.indices {
            if isEscaped {
                isEscaped = false
            } else if value.unicodeScalars[index] == "\\" {
                isEscaped = true
            } else if value.unicodeScalars[index] == "," {
                elements.append(Self.unescaped(value.unicodeScalars[start..<index]))
                start = value.unicodeScalars.index(after: index)
            }
        }
        return elements + [Self.unescaped(value.unicodeScalars[start...])]
    }

    static func unescaped(_ text: String) -> String { unescaped(text.unicodeScalars[...]) }

    private static func unescaped(_ text: Substring.UnicodeScalarView) -> String {
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text {
            if isEscaped {
                result.append(scalar == "n" || scalar == "N" ? "\n" : scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in text.unicodeScalars {
            defer { isAfterReturn = scalar == "\r" }
            switch scalar {
            case "\\", ";", ",":
                result.append("\\")
                result.append(scalar)
            case "\n": if !isAfterReturn { result.append(contentsOf: "\\n".unicodeScalars) }
            case "\r": result.append(contentsOf: "\\n".unicodeScalars)
            case _ where scalar.isControl: break
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The line as it is sent: at most 75 bytes a line, the rest behind a space each, no character torn apart.
    static func folded(_ line: String) -> String {
        guard line.utf8.count > 75 else { return line + "\r\n" }
        var result = String.UnicodeScalarView()
        var length = 0
        for scalar in line.unicodeScalars {
            let size = UTF8.width(scalar)
            if length + size > 75 {
                result.append(contentsOf: "\r\n ".unicodeScalars)
                length = 1
            }
            result.append(scalar)
            length += size
        }
        return String(result) + "\r\n"
    }
}

extension Unicode.Scalar {
    /// What a content line must not hold (RFC 5545, section 3.1), or a terminal would obey.
    var isControl: Bool { (value < 0x20 && self != "\t") || (0x7F...0x9F).contains(value) }

    fileprivate var isNameCharacter: Bool {
        switch self {
        case "A"..."Z", "a"..."z", "0"..."9", "-": true
        default: false
        }
    }
}
