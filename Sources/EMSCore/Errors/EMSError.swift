/// The one error of the product: an entry of the catalogue, with what a person needs to know about this case of it.
public struct EMSError: Error, Sendable {
    public let code: ErrorCode
    /// What is wrong, as a sentence without a full stop.
    public private(set) var message: String
    /// How to mend it, where there is a way.
    public let fix: String?
    /// The faults by place, for ``ErrorCode/invalid``.
    public private(set) var fields: [FieldError]
    /// After how many seconds another try may succeed.
    public let retryAfter: Int?
    /// What is left of the attempts, for ``ErrorCode/rateLimited``.
    public let allowance: RateAllowance?
    /// What kind of thing the store does not hold, for ``notFound(_:_:)``.
    public private(set) var missingKind: String?

    public init(
        _ code: ErrorCode, _ message: String, fix: String? = nil, fields: [FieldError] = [], retryAfter: Int? = nil,
        allowance: RateAllowance? = nil
    ) {
        self.code = code
        self.message = message
        self.fix = fix
        self.fields = fields
        self.retryAfter = retryAfter
        self.allowance = allowance
    }

    /// Any error as one of the catalogue's: what is not an ``EMSError`` is a fault of the program.
    public init(_ error: any Error) {
        if let error = error as? EMSError {
            self = error
        } else if error is CancellationError {
            self.init(.interrupted, "interrupted")
        } else {
            self.init(.internal, "unexpected error: \(error)", fix: "please report it, with what you did")
        }
    }

    public static func invalid(_ fields: [FieldError]) -> EMSError {
        EMSError(.invalid, Self.message(of: fields), fields: fields)
    }

    private static func message(of fields: [FieldError]) -> String {
        fields.map { "\($0.name) \($0.message)".trimmedStart }.joined(separator: "; ")
    }

    /// One wrong parameter.
    public static func invalid(_ parameter: RequestParameter, _ message: String, type: String = "value_error") -> EMSError {
        invalid([FieldError(parameter, message, type: type)])
    }

    /// The error with the parameters under the names that the caller knows.
    /// - Parameter location: see ``FieldError/location``.
    public func naming(_ location: (RequestParameter) -> [String]) -> EMSError {
        guard fields.contains(where: { $0.parameter != nil }) else { return self }
        var error = self
        error.fields = fields.map { field in
            field.parameter.map { FieldError(location($0), field.message, type: field.type) } ?? field
        }
        if code == .invalid { error.message = Self.message(of: error.fields) }
        return error
    }

    /// One wrong field.
    public static func invalid(_ field: String, _ message: String, type: String = "value_error", in place: String = "body") -> EMSError {
        invalid([FieldError([place, field], message, type: type)])
    }

    public static func rateLimited(_ message: String, _ allowance: RateAllowance) -> EMSError {
        let wait = max(1, allowance.resetSeconds)
        return EMSError(.rateLimited, message, fix: "try again in \(wait) s", retryAfter: wait, allowance: allowance)
    }

    public static func usernameTaken(_ username: String) -> EMSError {
        EMSError(.usernameTaken, "the username \(Printable.quoted(username)) is taken", fix: "choose another")
    }

    public static func emailTaken(_ email: String) -> EMSError {
        EMSError(.emailTaken, "the email \(Printable.quoted(email)) is registered already", fix: "log in, or use another")
    }

    public static func notFound(_ kind: String, _ name: some CustomStringConvertible) -> EMSError {
        var error = EMSError(.notFound, "\(kind) \(Printable.named(name.description)) not found")
        error.missingKind = kind
        return error
    }
}

extension EMSError: CustomStringConvertible {
    public var description: String {
        fix.map { "\(message); \($0)" } ?? message
    }
}

/// One fault of the data, with its place: `loc` in the JSON.
public struct FieldError: Sendable, Equatable {
    /// The way to the field: `["body", "title"]`.
    public let location: [String]
    /// The parameter at fault, if it is one. Its location is set by ``EMSError/naming(_:)``.
    public let parameter: RequestParameter?
    public let message: String
    /// A stable word for programs: `missing`, `string_too_long`, `value_error`…
    public let type: String

    public init(_ location: [String], _ message: String, type: String) {
        self.location = location
        parameter = nil
        self.message = message
        self.type = type
    }

    public init(_ parameter: RequestParameter, _ message: String, type: String) {
        location = []
        self.parameter = parameter
        self.message = message
        self.type = type
    }

    /// The name of the field in a message.
    public var name: String { parameter?.rawValue ?? location.filter { $0 != "body" }.joined(separator: ".") }
}

extension FieldError: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object {
            $0.member("loc", location)
            $0.member("msg", message)
            $0.member("type", type)
        }
    }
}

/// Text from outside, made fit for a terminal or a log.
public enum Printable {
    /// The text in quotes, without control characters and at most 80 Unicode scalars long: a character may have any number of marks.
    public static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let clean = scalars.prefix(80)
        return "'\(stripped(String(clean)))\(clean.endIndex == scalars.endIndex ? "" : "…")'"
    }

    /// A name as it is if it is one word of letters, digits and the marks of names, otherwise in quotes.
    public static func named(_ text: String) -> String {
        let isWord =
            (1...80).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_-.@+".utf8.contains(byte)
                }
            }
        return isWord ? text : quoted(text)
    }

    /// The text with every control character (C0, DEL, C1, and the bidirectional overrides) replaced by U+FFFD.
    public static func stripped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    fileprivate var trimmedStart: String { String(drop { $0 == " " }) }
}
