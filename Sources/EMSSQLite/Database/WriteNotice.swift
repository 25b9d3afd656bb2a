#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tells that a file was written to, by whichever process: inotify(7), where the system has it and the file is there. Otherwise, and
/// where a notice is lost, waiting ends after an interval.
final class WriteNotice {
    /// How long a wait lasts where writes are told, and where they are not.
    private static let safetyMilliseconds: Int32 = 250
    private static let pollMilliseconds: UInt32 = 10

    private let path: String
    private var descriptor: Int32 = -1

    init(path: String) {
        self.path = path
        open()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Holds the thread until the file has been written to, or it is time to look anyway.
    /// - Returns: whether it was written to, as far as is known.
    func wait() -> Bool {
        if descriptor < 0 { open() }
        guard descriptor >= 0 else {
            pause(milliseconds: Self.pollMilliseconds)
            return false
        }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, Self.safetyMilliseconds) > 0 else { return false }
        // Everything told so far is answered by one look. A file that was removed or replaced is watched anew.
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &buffer, buffer.count)
        if Self.holdsRemoval(buffer.prefix(max(0, count))) {
            close(descriptor)
            descriptor = -1
        }
        return true
    }

    /// Holds the thread for so long, whatever is written.
    func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    #if os(Linux)
    private func open() {
        let notices = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard notices >= 0 else { return }
        if inotify_add_watch(notices, path, UInt32(IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF)) >= 0 {
            descriptor = notices
        } else {
            close(notices)
        }
    }

    /// The mask of an event stands in its second four bytes; the name that may follow is counted in its last four.
    private static func holdsRemoval(_ events: ArraySlice<UInt8>) -> Bool {
        var rest = events
        let header = MemoryLayout<inotify_event>.size
        while rest.count >= header {
            let (mask, nameLength) = rest.withUnsafeBytes { bytes in
                (bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self), bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
            }
            if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 { return true }
            rest = rest.dropFirst(header + Int(nameLength))
        }
        return false
    }
    #else
    private func open() {}

    private static func holdsRemoval(_ events: ArraySlice<UInt8>) -> Bool { false }
    #endif
}
