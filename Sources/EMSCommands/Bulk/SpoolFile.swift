import EMSCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A copy of stdin, for its owner's eyes only and gone with the value, so that it can be read twice.
final class SpoolFile {
    let path: String

    init(stdin: Void) throws {
        let directory = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(directory)/ems-import.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else {
            throw EMSError(
                .inputOutput, "no temporary file can be made in \(directory): \(String(cString: strerror(errno)))",
                fix: "set TMPDIR to a directory with room")
        }
        defer { close(descriptor) }
        let input = try InputFile("-")
        while let piece = try input.next() { try FileDescriptor.write(piece, to: descriptor) }
    }

    deinit {
        unlink(path)
    }
}
