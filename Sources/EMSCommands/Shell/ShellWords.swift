import EMSCore

/// A line of the shell as words. Quotes and backslashes mean what they mean to sh(1); a word that begins with a brace or bracket is JSON up
/// to where that is closed, over any number of lines.
enum ShellWords {
    /// - Returns: `nil` where the line is not complete: a quote or a brace is open, or it ends with a backslash.
    static func split(_ line: String) -> [String]? {
        var words: [String] = []
        var rest = Array(line.unicodeScalars)[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" }
            guard let first = rest.first, first != "#" else { return words }
            guard let word = first == "{" || first == "[" ? json(&rest) : word(&rest) else { return nil }
            words.append(word)
        }
    }

    private static func word(_ rest: inout ArraySlice<Unicode.Scalar>) -> String? {
        var word = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        while let scalar = rest.first {
            if quote == nil, scalar == " " || scalar == "\t" || scalar == "\n" { break }
            rest = rest.dropFirst()
            if scalar == "\\", quote != "'" {
                guard let next = rest.first else { return nil }
                rest = rest.dropFirst()
                // In double quotes a backslash is one, unless it stands before what would mean something there.
                if quote == "\"", next != "\"", next != "\\" { word.append(scalar) }
                if next != "\n" { word.append(next) }
            } else if scalar == quote {
                quote = nil
            } else if quote == nil, scalar == "\"" || scalar == "'" {
                quote = scalar
            } else {
                word.append(scalar)
            }
        }
        return quote == nil ? String(word) : nil
    }

    private static func json(_ rest: inout ArraySlice<Unicode.Scalar>) -> String? {
        var word = String.UnicodeScalarView()
        var depth = 0
        var isString = false
        var isEscaped = false
        while let scalar = rest.first {
            rest = rest.dropFirst()
            word.append(scalar)
            if isEscaped {
                isEscaped = false
            } else if isString {
                if scalar == "\\" { isEscaped = true }
                if scalar == "\"" { isString = false }
            } else {
                switch scalar {
                case "\"": isString = true
                case "{", "[": depth += 1
                case "}", "]":
                    depth -= 1
                    if depth == 0 { return String(word) }
                default: break
                }
            }
        }
        return nil
    }
}
