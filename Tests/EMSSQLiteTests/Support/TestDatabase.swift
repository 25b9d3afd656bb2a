import EMSSQLite
import Foundation

/// A new directory for one test, removed afterwards.
func withTemporaryDirectory<Value>(_ body: (URL) async throws -> Value) async throws -> Value {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ems-sqlite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// A new database for one test, open as a daemon has it.
func withBackend<Value>(_ body: (SQLiteBackend) async throws -> Value) async throws -> Value {
    try await withTemporaryDirectory { directory in
        try await body(try SQLiteBackend(path: directory.appendingPathComponent("ems.sqlite").path, mode: .daemon))
    }
}
