import Foundation

/// A file system in memory that is soon full: only where the tests run as root and mounting is allowed.
struct TinyDisk: Sendable {
    let path: String

    /// Whether one can be mounted here, tried once.
    static let isPossible: Bool = {
        guard getuid() == 0, let disk = try? TinyDisk(size: "64k") else { return false }
        disk.unmount()
        return true
    }()

    /// Mounts a disk for `body`, and unmounts it whatever happens.
    static func mounted<Value>(size: String, _ body: (TinyDisk) async throws -> Value) async throws -> Value {
        let disk = try TinyDisk(size: size)
        defer { disk.unmount() }
        return try await body(disk)
    }

    private init(size: String) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.path
        guard InstalledTool.run("mount", ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path]) else {
            try? FileManager.default.removeItem(at: directory)
            throw TimedOut(description: "a tmpfs cannot be mounted")
        }
    }

    /// Changes the mount's options: `size=8m`, `ro`, `rw`.
    func remount(_ options: String) throws {
        guard InstalledTool.run("mount", ["-o", "remount,\(options)", path]) else {
            throw TimedOut(description: "the tmpfs cannot be remounted with \(options)")
        }
    }

    /// Leaves so many kilobytes free, or all that there is.
    func fill(leaving kilobytes: Int?) throws {
        let balloon = path + "/balloon"
        try? FileManager.default.removeItem(atPath: balloon)
        guard let kilobytes else { return }
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: path)
        let free = (attributes[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        try Data(count: max(0, free - kilobytes * 1024)).write(to: URL(fileURLWithPath: balloon))
    }

    private func unmount() {
        // Lazily, if something still holds it.
        if !InstalledTool.run("umount", [path]) { _ = InstalledTool.run("umount", ["-l", path]) }
        try? FileManager.default.removeItem(atPath: path)
    }
}
