import EMSCore

/// Reads the elements of a BSON document where they lie. Every length is checked; nothing is read beyond the document.
///
/// A field is looked for from where the last one was found: documents read in the order in which they were written cost one pass.
struct BSONReader {
    /// One element: its type and the bytes of its value.
    struct Element {
        let type: UInt8
        let name: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer

        var text: String? {
            guard type == BSONType.string, value.count >= 5 else { return nil }
            return String(decoding: value[4..<(value.count - 1)], as: UTF8.self)
        }

        /// A number of any type that is whole.
        var integer: Int64? {
            switch type {
            case BSONType.int64: value.loadUnaligned(as: Int64.self)
            case BSONType.int32: Int64(value.loadUnaligned(as: Int32.self))
            case BSONType.double: Int64(exactly: value.loadUnaligned(as: Double.self))
            default: nil
            }
        }

        /// A whole number that counts something: see ``StoredCounter``.
        var counter: Int64? { integer.flatMap { StoredCounter.range.contains($0) ? $0 : nil } }

        var number: Double? {
            type == BSONType.double ? value.loadUnaligned(as: Double.self) : integer.map(Double.init)
        }

        var bool: Bool? { type == BSONType.bool ? value.first != 0 : nil }
        /// `nil` outside the years 0001 to 9999, too.
        var date: Timestamp? { type == BSONType.date ? Timestamp(stored: value.loadUnaligned(as: Int64.self)) : nil }

        var binary: [UInt8]? {
            guard type == BSONType.binary, value.count >= 5 else { return nil }
            return Array(value[5...])
        }

        var isNull: Bool { type == BSONType.null }

        /// The elements of a document or an array.
        func nested() throws -> BSONReader {
            guard type == BSONType.document || type == BSONType.array else { throw BSONReader.damaged("a document was expected") }
            return try BSONReader(value)
        }

        /// The bytes of a document, to be kept.
        func document() throws -> BSONDocument {
            guard type == BSONType.document else { throw BSONReader.damaged("a document was expected") }
            return BSONDocument(bytes: Array(value))
        }
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 4

    init(_ bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count >= 5, Int(bytes.loadUnaligned(as: Int32.self)) == bytes.count, bytes[bytes.count - 1] == 0 else {
            throw Self.damaged("its length is wrong")
        }
        self.bytes = bytes
    }

    /// The next element; `nil` at the end.
    mutating func next() throws -> Element? {
        guard offset < bytes.count - 1 else { return nil }
        let type = bytes[offset]
        let nameStart = offset + 1
        var nameEnd = nameStart
        while nameEnd < bytes.count, bytes[nameEnd] != 0 { nameEnd += 1 }
        let start = nameEnd + 1
        let end = start + (try Self.length(of: type, at: start, in: bytes))
        guard end <= bytes.count - 1 else { throw Self.damaged("an element is cut off") }
        offset = end
        return Element(
            type: type, name: UnsafeRawBufferPointer(rebasing: bytes[nameStart..<nameEnd]),
            value: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    }

    /// The element of this name; `nil` where there is none.
    mutating func find(_ name: StaticString) throws -> Element? {
        let start = offset
        while let element = try next() {
            if Self.isNamed(element, name) { return element }
        }
        offset = 4
        while offset < start, let element = try next() {
            if Self.isNamed(element, name) { return element }
        }
        offset = start
        return nil
    }

    private static func isNamed(_ element: Element, _ name: StaticString) -> Bool {
        element.name.count == name.utf8CodeUnitCount
            && element.name.elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private static func length(of type: UInt8, at start: Int, in bytes: UnsafeRawBufferPointer) throws -> Int {
        func prefix() throws -> Int {
            guard start + 4 <= bytes.count else { throw damaged("a length is cut off") }
            let length = Int(bytes.loadUnaligned(fromByteOffset: start, as: Int32.self))
            guard length >= 0 else { throw damaged("a length is negative") }
            return length
        }
        func zero(after place: Int) throws -> Int {
            var end = place
            while end < bytes.count, bytes[end] != 0 { end += 1 }
            return end + 1
        }
        switch type {
        case BSONType.double, BSONType.date, BSONType.timestamp, BSONType.int64: return 8
        case BSONType.int32: return 4
        case BSONType.bool: return 1
        case BSONType.null, BSONType.minKey, BSONType.maxKey, 0x06: return 0
        case BSONType.objectID: return 12
        case BSONType.decimal128: return 16
        case BSONType.string, BSONType.javaScript, 0x0E: return 4 + (try prefix())
        case BSONType.document, BSONType.array, 0x0F: return try prefix()
        case BSONType.binary: return 5 + (try prefix())
        case BSONType.regex: return try zero(after: zero(after: start)) - start
        default: throw damaged("an element has the unknown type \(type)")
        }
    }

    static func damaged(_ what: String) -> EMSError {
        EMSError(.storeCorrupt, "a document of the database cannot be read: \(what)", fix: "restore a backup")
    }
}

// MARK: Fields by name

extension BSONReader {
    mutating func text(_ name: StaticString) throws -> String { try required(name, find(name)?.text) }
    mutating func integer(_ name: StaticString) throws -> Int64 { try required(name, find(name)?.integer) }
    mutating func bool(_ name: StaticString) throws -> Bool { try required(name, find(name)?.bool) }
    mutating func date(_ name: StaticString) throws -> Timestamp { try required(name, find(name)?.date) }
    mutating func binary(_ name: StaticString) throws -> [UInt8] { try required(name, find(name)?.binary) }
    mutating func document(_ name: StaticString) throws -> BSONReader { try required(name, find(name)?.nested()) }

    mutating func id<Subject>(_ name: StaticString) throws -> ID<Subject> { try required(name, ID(text(name))) }

    mutating func word<Value: RawRepresentable<String>>(_ name: StaticString) throws -> Value {
        try required(name, Value(rawValue: text(name)))
    }

    /// A number that counts something, or a place in a sequence: see ``StoredCounter``.
    mutating func counter(_ name: StaticString) throws -> Int64 {
        let value = try integer(name)
        guard StoredCounter.range.contains(value) else { throw Self.damaged("'\(name)' is not a valid count") }
        return value
    }

    /// A date as it is stored, whatever the year.
    mutating func optionalMilliseconds(_ name: StaticString) throws -> Int64? {
        guard let element = try find(name), element.type == BSONType.date else { return nil }
        return element.value.loadUnaligned(as: Int64.self)
    }

    mutating func optionalText(_ name: StaticString) throws -> String? { try find(name)?.text }
    mutating func optionalInteger(_ name: StaticString) throws -> Int64? { try find(name)?.integer }
    mutating func optionalDate(_ name: StaticString) throws -> Timestamp? { try find(name)?.date }
    mutating func optionalBinary(_ name: StaticString) throws -> [UInt8]? { try find(name)?.binary }
    mutating func flag(_ name: StaticString) throws -> Bool { try find(name)?.bool ?? false }

    mutating func optionalDocument(_ name: StaticString) throws -> BSONReader? {
        guard let element = try find(name), !element.isNull else { return nil }
        return try element.nested()
    }

    /// The elements of an array, each converted; none where there is no such array.
    mutating func array<Value>(_ name: StaticString, _ convert: (Element) throws -> Value?) throws -> [Value] {
        guard var elements = try optionalDocument(name) else { return [] }
        var values: [Value] = []
        while let element = try elements.next() { values.append(try required(name, convert(element))) }
        return values
    }

    private func required<Value>(_ name: StaticString, _ value: Value?) throws -> Value {
        guard let value else { throw Self.damaged("'\(name)' is missing or of another type") }
        return value
    }
}
