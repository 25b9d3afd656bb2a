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

/// A copy of stdin that can be read twice. It has no name from the beginning on: whatever ends the process, nothing of it stays behind.
final class SpoolFile {
    private let descriptor: Int32

    init(stdin: Void) throws {
        let directory = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(directory)/ems-import.XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw EMSError(
                .inputOutput, "no temporary file can be created in \(directory): \(String(cString: strerror(errno)))",
                fix: "set TMPDIR to a directory with room")
        }
        unlink(&template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let input = try InputFile("-")
        while let piece = try input.next() { try FileDescriptor.write(piece, to: descriptor) }
    }

    /// What was kept, from its beginning.
    func open() throws -> InputFile {
        // A second descriptor from open(2) has its own read position; one from dup(2) would share it.
        try InputFile("/proc/self/fd/\(descriptor)", calledBy: "stdin")
    }

    deinit {
        close(descriptor)
    }
}
