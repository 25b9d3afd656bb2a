/// Writes JSON (RFC 8259) straight into bytes: each model says its fields, nothing is built in between.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []
    private let isPretty: Bool
    private var depth = 0
    private var needsComma = false

    /// - Parameter pretty: one member a line, two spaces a level; otherwise no white space at all.
    public init(pretty: Bool = false) {
        isPretty = pretty
        bytes.reserveCapacity(Self.usualBytes)
    }

    /// What most documents need.
    private static let usualBytes = 512

    /// Everything written so far.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        nest(open: "{", close: "}", body)
    }

    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        nest(open: "[", close: "]", body)
    }

    /// An array of what can be encoded.
    public mutating func array(_ elements: some Sequence<some JSONEncodable>) {
        array { writer in
            for element in elements { element.encode(to: &writer) }
        }
    }

    /// The name of the next value.
    public mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        needsComma = false
        awaitsValue = true
    }

    private var awaitsValue = false

    public mutating func string(_ value: String) { scalar { $0.quote(value) } }
    public mutating func integer(_ value: some BinaryInteger) { scalar { $0.digits(of: value) } }
    public mutating func bool(_ value: Bool) { scalar { $0.bytes.append(contentsOf: (value ? "true" : "false").utf8) } }
    public mutating func null() { scalar { $0.bytes.append(contentsOf: "null".utf8) } }

    /// A value that is JSON already.
    public mutating func raw(_ value: JSONText) {
        if isPretty, let value = try? value.value() { return value.encode(to: &self) }
        scalar { $0.bytes.append(contentsOf: value.bytes) }
    }

    /// A finite number in its shortest form that reads back the same; what is not finite has no JSON and becomes `null`.
    public mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        if value == value.rounded(), abs(value) < 1e15 { return integer(Int64(value)) }
        scalar { $0.bytes.append(contentsOf: value.description.utf8) }
    }

    // MARK: Members

    public mutating func member(_ name: String, _ value: String?) {
        self.name(name)
        if let value { string(value) } else { null() }
    }

    public mutating func member(_ name: String, _ value: (some BinaryInteger)?) {
        self.name(name)
        if let value { integer(value) } else { null() }
    }

    public mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }

    public mutating func member(_ name: String, _ value: (some JSONEncodable)?) {
        self.name(name)
        if let value { value.encode(to: &self) } else { null() }
    }

    public mutating func member(_ name: String, _ values: [String]) {
        self.name(name)
        array { writer in
            for value in values { writer.string(value) }
        }
    }

    public mutating func member(_ name: String, _ values: [some JSONEncodable]) {
        self.name(name)
        array(values)
    }

    // MARK: Bytes

    private mutating func nest(open: Unicode.Scalar, close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: open))
        depth += 1
        needsComma = false
        let start = bytes.count
        body(&self)
        depth -= 1
        if isPretty, bytes.count > start { newLine() }
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func scalar(_ write: (inout JSONWriter) -> Void) {
        separate()
        write(&self)
        needsComma = true
    }

    private mutating func separate() {
        if awaitsValue {
            awaitsValue = false
            return
        }
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if isPretty, depth > 0 { newLine() }
    }

    private mutating func digits(of value: some BinaryInteger) {
        // A short string has no memory of its own.
        var text = String(value)
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    private mutating func newLine() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append(contentsOf: [0x20, 0x20]) }
    }

    private mutating func quote(_ value: String) {
        var value = value
        value.withUTF8 { source in
            bytes.append(UInt8(ascii: "\""))
            var clean = 0
            for index in source.indices {
                let byte = source[index]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F else { continue }
                bytes.append(contentsOf: source[clean..<index])
                clean = index + 1
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
                case 0x0A: bytes.append(contentsOf: "\\n".utf8)
                case 0x0D: bytes.append(contentsOf: "\\r".utf8)
                case 0x09: bytes.append(contentsOf: "\\t".utf8)
                default:
                    let hex = String(byte, radix: 16)
                    bytes.append(contentsOf: (hex.count == 1 ? "\\u000" : "\\u00").utf8)
                    bytes.append(contentsOf: hex.utf8)
                }
            }
            bytes.append(contentsOf: source[clean...])
            bytes.append(UInt8(ascii: "\""))
        }
    }
}

/// What has a JSON form that clients see.
public protocol JSONEncodable {
    func encode(to writer: inout JSONWriter)
}

extension JSONEncodable {
    /// The JSON of this one thing.
    public func json(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        encode(to: &writer)
        return writer.bytes
    }
}

extension JSONValue: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .integer(let value): writer.integer(value)
        case .number(let value): writer.number(value)
        case .string(let value): writer.string(value)
        case .array(let elements): writer.array(elements)
        case .object(let members):
            writer.object { writer in
                for member in members { writer.member(member.name, member.value) }
            }
        }
    }
}
