import EMSCore

/// Writes BSON straight into bytes: each document says its fields, nothing is built in between.
struct BSONWriter {
    private(set) var bytes: [UInt8] = []

    // MARK: Scalars

    mutating func member(_ name: String, _ value: String) {
        header(BSONType.string, name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Int) { member(name, Int64(value)) }

    mutating func member(_ name: String, _ value: Int64) {
        header(BSONType.int64, name)
        integer(value)
    }

    mutating func member(_ name: String, _ value: Double) {
        header(BSONType.double, name)
        integer(value.bitPattern)
    }

    mutating func member(_ name: String, _ value: Bool) {
        header(BSONType.bool, name)
        bytes.append(value ? 1 : 0)
    }

    /// A BSON date: what mongosh shows as `ISODate(…)`.
    mutating func member(_ name: String, _ value: Timestamp) {
        header(BSONType.date, name)
        integer(value.milliseconds)
    }

    /// An id as its 32 hex characters.
    mutating func member<Subject>(_ name: String, _ value: ID<Subject>) { member(name, value.description) }

    /// Binary data of the generic subtype.
    mutating func member(_ name: String, binary value: [UInt8]) {
        header(BSONType.binary, name)
        integer(Int32(value.count))
        bytes.append(0)
        bytes += value
    }

    mutating func null(_ name: String) { header(BSONType.null, name) }
    mutating func minKey(_ name: String) { header(BSONType.minKey, name) }
    mutating func maxKey(_ name: String) { header(BSONType.maxKey, name) }

    // MARK: Fields that may be absent: what is nil is not written

    mutating func optional(_ name: String, _ value: String?) { if let value { member(name, value) } }
    mutating func optional(_ name: String, _ value: Int?) { if let value { member(name, value) } }
    mutating func optional(_ name: String, _ value: Timestamp?) { if let value { member(name, value) } }

    // MARK: Nesting

    mutating func document(_ name: String, _ body: (inout BSONWriter) -> Void) {
        header(BSONType.document, name)
        nest(body)
    }

    /// A document that was written before.
    mutating func member(_ name: String, _ value: BSONDocument) {
        header(BSONType.document, name)
        bytes += value.bytes
    }

    mutating func array(_ name: String, _ body: (inout BSONArrayWriter) -> Void) {
        header(BSONType.array, name)
        nest { writer in
            var array = BSONArrayWriter(writer: writer)
            writer = BSONWriter()
            body(&array)
            writer = array.writer
        }
    }

    mutating func array(_ name: String, _ elements: some Sequence<String>) {
        array(name) { for element in elements { $0.element(element) } }
    }

    /// The elements of a document, one after the other, into this one.
    mutating func members(of document: BSONDocument) {
        bytes += document.bytes[4..<(document.bytes.count - 1)]
    }

    /// Length, what `body` writes, and the closing zero.
    mutating func nest(_ body: (inout BSONWriter) -> Void) {
        let start = bytes.count
        integer(Int32(0))
        body(&self)
        bytes.append(0)
        let length = Int32(bytes.count - start)
        withUnsafeBytes(of: length.littleEndian) { raw in
            for (offset, byte) in raw.enumerated() { bytes[start + offset] = byte }
        }
    }

    // MARK: Bytes

    /// - Parameter name: one of ours, without a NUL.
    private mutating func header(_ type: UInt8, _ name: String) {
        bytes.append(type)
        bytes.append(contentsOf: name.utf8)
        bytes.append(0)
    }

    private mutating func string(_ value: String) {
        let start = bytes.count
        integer(Int32(0))
        bytes.append(contentsOf: value.utf8)
        bytes.append(0)
        let length = Int32(bytes.count - start - 4)
        withUnsafeBytes(of: length.littleEndian) { raw in
            for (offset, byte) in raw.enumerated() { bytes[start + offset] = byte }
        }
    }

    private mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// Writes the elements of an array: their names are their numbers.
struct BSONArrayWriter {
    fileprivate var writer: BSONWriter
    private var index = 0

    fileprivate init(writer: BSONWriter) {
        self.writer = writer
    }

    mutating func null() { writer.null(next()) }
    mutating func element(_ value: String) { writer.member(next(), value) }
    mutating func element(binary value: [UInt8]) { writer.member(next(), binary: value) }
    mutating func element(_ value: Int64) { writer.member(next(), value) }
    mutating func element(_ value: Double) { writer.member(next(), value) }
    mutating func element(_ value: Timestamp) { writer.member(next(), value) }
    mutating func element(_ value: BSONDocument) { writer.member(next(), value) }
    mutating func document(_ body: (inout BSONWriter) -> Void) { writer.document(next(), body) }
    mutating func array(_ body: (inout BSONArrayWriter) -> Void) { writer.array(next(), body) }

    private mutating func next() -> String {
        defer { index += 1 }
        return String(index)
    }
}
