/// Reads an input as a script: small numbers and texts, one after the other; zeros and nothing where it has ended.
struct Script {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    mutating func integer<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value {
        var value: Value = 0
        for _ in 0..<(Value.bitWidth / 8) { value = value << 8 | Value(truncatingIfNeeded: byte()) }
        return value
    }

    /// The bytes up to the next line feed, which is skipped; all that are left where there is none.
    mutating func line() -> String {
        let line = rest.prefix { $0 != 0x0A }
        rest = rest.dropFirst(line.count + 1)
        return String(decoding: line, as: UTF8.self)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }

    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}
