/// What a user's data must be to be accepted.
public enum UserRules {
    public static let usernameLength = 3...50
    public static let fullNameLimit = 100
    /// The limit of RFC 5321, section 4.5.3.1.3, less the angle brackets.
    public static let emailLimit = 254
    public static let passwordMinimum = 8
    /// bcrypt reads no further than this many bytes; what is longer is refused, not cut.
    public static let passwordByteLimit = 72

    static func check(username: String, _ faults: inout FieldFaults) {
        if !usernameLength.contains(username.unicodeScalars.count) {
            let type = username.unicodeScalars.count < usernameLength.lowerBound ? "string_too_short" : "string_too_long"
            faults.add("username", "must have \(usernameLength.lowerBound) to \(usernameLength.upperBound) characters", type: type)
        } else if !username.utf8.allSatisfy(isUsernameByte) {
            faults.add("username", "must consist of the letters A to Z, digits and _", type: "string_pattern_mismatch")
        } else if UserID(username) != nil {
            faults.add("username", "must not be 32 hexadecimal digits, which would read as the id of a user")
        }
    }

    /// An addr-spec in the everyday form (RFC 5321): one `@`, a local part of at most 64 bytes, a domain with a dot.
    static func check(email: String, _ faults: inout FieldFaults) {
        // Byte by byte: with a combining mark behind it, an @ is another character.
        let parts = email.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let isAddress =
            parts.count == 2 && email.utf8.count <= emailLimit && email.isStreamSafe && email.contains("@")
            && (1...64).contains(parts[0].count)
            && isDotted(parts[0]) && isDotted(parts[1]) && parts[1].contains(UInt8(ascii: ".")) && parts[1].allSatisfy(isDomainByte)
            && !email.unicodeScalars.contains {
                $0.properties.isWhitespace || Printable.isControl($0) || "<>()[],;:\"\\".unicodeScalars.contains($0)
            }
        if !isAddress { faults.add("email", "must be an email address such as name@example.com") }
    }

    static func check(fullName: String?, _ faults: inout FieldFaults) {
        if let fullName { faults.check("full_name", fullName, length: 0...fullNameLimit) }
    }

    static func check(password: String, as field: String = "password", _ faults: inout FieldFaults) {
        if password.unicodeScalars.count < passwordMinimum {
            faults.add(field, "must have at least \(passwordMinimum) characters", type: "string_too_short")
        }
        // What is too long is not looked at letter by letter.
        guard password.utf8.count <= passwordByteLimit else {
            return faults.add(
                field, "must have at most \(passwordByteLimit) bytes in UTF-8, this one has \(password.utf8.count)", type: "string_too_long"
            )
        }
        if password.utf8.contains(0) { faults.add(field, "must not hold a NUL character") }
        if !password.contains(where: \.isUppercase) { faults.add(field, "must hold an upper-case letter") }
        if !password.unicodeScalars.contains(where: { $0.properties.numericType == .decimal }) { faults.add(field, "must hold a digit") }
        if !password.contains(where: { !$0.isLetter && !$0.isNumber && !$0.isWhitespace }) {
            faults.add(field, "must hold a special character such as ! or #")
        }
    }

    /// An email as it is stored.
    static func canonicalEmail(_ text: String) -> String {
        let email = TextRules.trimmed(text)
        return email.isStreamSafe ? email.normalized : email
    }

    /// The form in which usernames and emails are compared: neither case nor the way in which an accent was typed makes a difference.
    /// What no username or email can be is left as it is.
    public static func caseFolded(_ text: String) -> String {
        text.utf8.count <= 4 * emailLimit && text.isStreamSafe ? text.normalized.lowercased().normalized : text
    }

    /// Whether there is something before, between and behind the dots.
    private static func isDotted(_ text: Substring.UTF8View) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    }

    private static func isUsernameByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || byte == UInt8(ascii: "_")
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        // Bytes above ASCII belong to internationalised domains (RFC 6531).
        isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte >= 0x80
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
