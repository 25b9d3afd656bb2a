import Crypto

/// Where an event came from, and what came with it that has no field here: so that it can go back as it was, and is known when it comes again.
public struct EventOrigin: Sendable, Equatable {
    public static let keyLimit = 1000
    public static let propertiesLimit = 64 * 1024

    /// Its name elsewhere: `UID` of iCalendar (RFC 5545, section 3.8.4.7), `external_id` of jsonl and csv.
    public var key: String
    /// How often it was revised there (RFC 5545, section 3.8.7.4).
    public var sequence: Int
    /// The content lines of iCalendar that are none of our fields, unfolded, with a line feed between them.
    public var properties: String

    public init(key: String, sequence: Int = 0, properties: String = "") {
        self.key = key
        self.sequence = sequence
        self.properties = properties
    }

    /// By what the event is known that has this name elsewhere.
    public var importKey: ImportKey { ImportKey("external:" + key) }
}

/// By what an event is known that was brought in: a digest of its name elsewhere, or of all it said. No two events have the same, so that
/// what is brought twice comes in once.
public struct ImportKey: Hashable, Sendable {
    /// The first 16 bytes of a SHA-256.
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ text: String) { self.init(digestOf: Array(text.utf8)) }

    /// Reads ``hex``.
    init?(hex: String) {
        // An id is 16 bytes in hex as well, but may have hyphens.
        guard hex.utf8.count == 32, let id = ID<ImportKey>(hex) else { return nil }
        bytes = id.bytes
    }

    /// 32 hex characters.
    var hex: String { hexadecimal(bytes) }

    init(digestOf content: [UInt8]) {
        bytes = SHA256.hash(data: content).prefix(16).map(\.self)
    }
}

extension EventOrigin: JSONEncodable {
    public func encode(to writer: inout JSONWriter) {
        writer.object { encodeMembers(to: &$0) }
    }

    /// Adds `external_id` and what else there is to an object.
    public func encodeMembers(to writer: inout JSONWriter) {
        writer.member("external_id", key)
        if sequence != 0 { writer.member("external_sequence", sequence) }
        if !properties.isEmpty { writer.member("external_properties", properties) }
    }

    /// Reads what ``encodeMembers(to:)`` wrote; `nil` where there is no `external_id`.
    init?(_ fields: inout JSONFields) {
        let key = fields.string("external_id")
        let sequence = fields.integer("external_sequence")
        let properties = fields.string("external_properties")
        guard let key, !key.isEmpty else { return nil }
        self.init(key: key, sequence: Int(clamping: sequence ?? 0), properties: properties ?? "")
    }

    public init?(_ json: JSONValue) {
        var fields = JSONFields(json)
        self.init(&fields)
    }
}
