import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// JSON, an object a line.
struct LineReader: RecordReading {
    private var line = 0
    private var rest: [UInt8] = []
    let remark: String? = nil

    mutating func read(_ bytes: [UInt8]) throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count, let base = bytes.baseAddress {
                guard let end = memchr(base + start, 0x0A, bytes.count - start).map({ $0 - UnsafeMutableRawPointer(mutating: base) }) else {
                    rest += bytes[start...]
                    break
                }
                line += 1
                if rest.isEmpty {
                    try append(Array(bytes[start..<end]), to: &records)
                } else {
                    rest += bytes[start..<end]
                    try append(rest, to: &records)
                    rest = []
                }
                start = end + 1
            }
        }
        guard rest.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line + 1) }
        return records
    }

    mutating func finish() throws -> [BulkRecord] {
        var records: [BulkRecord] = []
        line += 1
        try append(rest, to: &records)
        rest = []
        return records
    }

    private func append(_ text: [UInt8], to records: inout [BulkRecord]) throws {
        guard text.count <= RecordLimit.bytes else { throw RecordLimit.exceeded(line: line) }
        let text = line == 1 && text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
        if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        do {
            records.append(BulkRecord(line: line, content: .success(try JSONParser.parse(text)), source: .text(text)))
        } catch {
            let isText = String(validating: text, as: UTF8.self) != nil
            let fault = isText ? EMSError(.malformed, "not JSON: \(error.reason), column \(error.column)") : TextFault.notUTF8
            records.append(BulkRecord(line: line, content: .failure(fault), source: .text(text)))
        }
    }
}
