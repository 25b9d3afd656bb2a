import EMSCore

/// Cuts a stream of bytes into the content lines of iCalendar (RFC 5545, section 3.1): a line that begins with white space continues the
/// one before. What is unfolded are bytes, since a fold may be within a character.
struct LineUnfolder {
    private var physical: [UInt8] = []
    private var logical: [UInt8] = []
    /// The number of the last physical line.
    private(set) var line = 0
    private var logicalLine = 0

    struct Line {
        let number: Int
        let bytes: [UInt8]
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/tooLarge``.
    mutating func read(_ bytes: [UInt8], _ take: (Line) throws -> Void) throws {
        for byte in bytes {
            if byte == 0x0A {
                try finishPhysical(take)
            } else {
                physical.append(byte)
                guard physical.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line + 1) }
            }
        }
    }

    mutating func finish(_ take: (Line) throws -> Void) throws {
        if !physical.isEmpty { try finishPhysical(take) }
        try finishLogical(take)
    }

    private mutating func finishPhysical(_ take: (Line) throws -> Void) throws {
        line += 1
        if physical.last == 0x0D { physical.removeLast() }
        if line == 1, physical.starts(with: [0xEF, 0xBB, 0xBF]) { physical.removeFirst(3) }
        if let first = physical.first, first == 0x20 || first == 0x09, logicalLine > 0 {
            logical += physical.dropFirst()
            guard logical.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: logicalLine) }
        } else {
            try finishLogical(take)
            logical = physical
            logicalLine = line
        }
        physical.removeAll(keepingCapacity: true)
    }

    private mutating func finishLogical(_ take: (Line) throws -> Void) throws {
        defer { logical = [] }
        guard logical.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
        try take(Line(number: logicalLine, bytes: logical))
    }
}
