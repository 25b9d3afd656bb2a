import EMSCore

/// A BSON document (bsonspec.org, version 1.1) as its bytes: length first, a zero at the end.
struct BSONDocument: Sendable, Equatable {
    let bytes: [UInt8]

    /// The document without elements.
    static let empty = BSONDocument { _ in }

    init(_ body: (inout BSONWriter) -> Void) {
        var writer = BSONWriter()
        writer.nest(body)
        bytes = writer.bytes
    }

    /// A document that came from elsewhere.
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads the elements; what is read must not be kept beyond `body`.
    func read<Value>(_ body: (inout BSONReader) throws -> Value) throws -> Value {
        try bytes.withUnsafeBytes { buffer in
            var reader = try BSONReader(buffer)
            return try body(&reader)
        }
    }
}

/// The element types of BSON that are used here.
enum BSONType {
    static let double: UInt8 = 0x01
    static let string: UInt8 = 0x02
    static let document: UInt8 = 0x03
    static let array: UInt8 = 0x04
    static let binary: UInt8 = 0x05
    static let objectID: UInt8 = 0x07
    static let bool: UInt8 = 0x08
    static let date: UInt8 = 0x09
    static let null: UInt8 = 0x0A
    static let regex: UInt8 = 0x0B
    static let javaScript: UInt8 = 0x0D
    static let int32: UInt8 = 0x10
    static let timestamp: UInt8 = 0x11
    static let int64: UInt8 = 0x12
    static let decimal128: UInt8 = 0x13
    static let minKey: UInt8 = 0xFF
    static let maxKey: UInt8 = 0x7F
}
