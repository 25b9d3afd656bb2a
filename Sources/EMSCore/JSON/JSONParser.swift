#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Why a text is not JSON, and where: lines and columns (in bytes) count from one.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public let line: Int
    public let column: Int

    public var description: String { "\(reason) at line \(line), column \(column)" }
}

/// A strict parser of RFC 8259: UTF-8 only, no duplicate member names, no trailing text, at most ``depthLimit`` levels deep.
public struct JSONParser {
    public static let depthLimit = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    /// Parses one document.
    /// - Throws: ``JSONSyntaxError`` with the place of the first fault.
    public static func parse(_ bytes: some Sequence<UInt8>) throws(JSONSyntaxError) -> JSONValue {
        let result: Result<JSONValue, JSONSyntaxError> =
            bytes.withContiguousStorageIfAvailable { parse(buffer: $0) }
            ?? ContiguousArray(bytes).withUnsafeBufferPointer { parse(buffer: $0) }
        return try result.get()
    }

    public static func parse(_ text: String) throws(JSONSyntaxError) -> JSONValue {
        try parse(text.utf8)
    }

    private static func parse(buffer: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONSyntaxError> {
        var parser = JSONParser(bytes: buffer)
        do throws(JSONSyntaxError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private mutating func document() throws(JSONSyntaxError) -> JSONValue {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
        skipSpace()
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw fault("text after the end of the document") }
        return value
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONValue {
        guard let byte = peek() else { throw fault("the document ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault("a value should be here")
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        try descend()
        var members: [JSONValue.Member] = []
        // Of an object with more members than are compared one by one.
        var names: Set<String> = []
        skipSpace()
        if take("}") {
            depth -= 1
            return .object([])
        }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw fault("a member name in double quotes should be here") }
            let start = position
            let name = try string()
            guard isNew(name, among: members, &names) else {
                position = start
                throw fault("the member name stands twice in one object")
            }
            skipSpace()
            guard take(":") else { throw fault("a colon should be here") }
            skipSpace()
            members.append(.init(name: name, value: try value()))
            skipSpace()
            if take(",") { continue }
            guard take("}") else { throw fault("a comma or a closing brace should be here") }
            depth -= 1
            return .object(members)
        }
    }

    /// Most objects have so few members that comparing their names costs less than hashing them.
    private static let comparedMembers = 24

    private func isNew(_ name: String, among members: [JSONValue.Member], _ names: inout Set<String>) -> Bool {
        guard members.count >= Self.comparedMembers else { return !members.contains { $0.name == name } }
        if names.isEmpty { names.formUnion(members.lazy.map(\.name)) }
        return names.insert(name).inserted
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        try descend()
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") {
            depth -= 1
            return .array([])
        }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take(",") { continue }
            guard take("]") else { throw fault("a comma or a closing bracket should be here") }
            depth -= 1
            return .array(elements)
        }
    }

    private mutating func descend() throws(JSONSyntaxError) {
        depth += 1
        guard depth <= Self.depthLimit else { throw fault("more than \(Self.depthLimit) levels of nesting") }
        position += 1
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount {
            guard position + offset < bytes.count, bytes[position + offset] == word.utf8Start[offset] else {
                throw fault("a value should be here")
            }
        }
        position += word.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        _ = take("-")
        if take("0") {
            if let next = peek(), isDigit(next) { throw fault("a number must not begin with a zero") }
        } else {
            guard skipDigits() > 0 else { throw fault("a digit should be here") }
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw fault("a digit should be here") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard skipDigits() > 0 else { throw fault("a digit should be here") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            position = start
            throw fault("the number is out of range")
        }
        return .number(value)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        // The common string has no escape and is ASCII: it is read in one piece, and nothing in it needs to be checked.
        var seen: UInt8 = 0
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"), bytes[position] >= 0x20
        {
            seen |= bytes[position]
            position += 1
        }
        if seen < 0x80, peek() == UInt8(ascii: "\"") {
            defer { position += 1 }
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        }
        var collected = Array(bytes[start..<position])
        while true {
            guard let byte = peek() else { throw fault("the document ends inside a string") }
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: collected, as: UTF8.self) else {
                    position = start
                    throw fault("the string is not valid UTF-8")
                }
                guard text.isStreamSafe else {
                    position = start
                    throw fault("more than \(String.markLimit) combining marks follow each other")
                }
                position += 1
                return text
            case UInt8(ascii: "\\"):
                try escape(into: &collected)
            case 0..<0x20:
                throw fault("a control character must be escaped in a string")
            default:
                collected.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape(into collected: inout [UInt8]) throws(JSONSyntaxError) {
        position += 1
        guard let byte = peek() else { throw fault("the document ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(byte)
        case UInt8(ascii: "b"): collected.append(0x08)
        case UInt8(ascii: "f"): collected.append(0x0C)
        case UInt8(ascii: "n"): collected.append(0x0A)
        case UInt8(ascii: "r"): collected.append(0x0D)
        case UInt8(ascii: "t"): collected.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexUnit()
            if (0xD800..<0xDC00).contains(code) {
                guard take("\\"), take("u") else { throw fault("the second half of a surrogate pair should be here") }
                let second = try hexUnit()
                guard (0xDC00..<0xE000).contains(second) else { throw fault("a surrogate without its other half") }
                code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("a surrogate without its other half") }
            collected.append(contentsOf: UTF8.encode(scalar)?.map { $0 } ?? [])
        default:
            position -= 1
            throw fault("an unknown escape in a string")
        }
    }

    private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fault("four hex digits should be here")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: mark) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = peek(), isDigit(byte) { position += 1 }
        return position - start
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private func fault(_ reason: String) -> JSONSyntaxError {
        var line = 1
        var lineStart = 0
        for index in 0..<min(position, bytes.count) where bytes[index] == 0x0A {
            line += 1
            lineStart = index + 1
        }
        return JSONSyntaxError(reason: reason, line: line, column: position - lineStart + 1)
    }
}
