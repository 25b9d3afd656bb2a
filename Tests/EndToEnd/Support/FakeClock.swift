import Foundation
import Testing

/// A clock that a program believes, and that is not the machine's: by libfaketime, which the program is started with.
struct FakeClock {
    /// The file that says how far it is from the machine's.
    private let file: String

    /// A clock that goes as the machine's at first.
    init(_ workspace: Workspace) throws {
        file = try workspace.file("clock", "+0")
    }

    /// Moves it: `-1h` is an hour behind the machine's.
    func set(_ offset: String) throws {
        // At once: it is read all the time.
        try Data(offset.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
    }

    /// The environment of a program that goes by this clock.
    func environment() throws -> [String: String] {
        try Self.preloaded().merging(["FAKETIME_TIMESTAMP_FILE": file]) { $1 }
    }

    /// The environment of a program that goes by a clock so far from the machine's, such as `-40d`.
    static func environment(at offset: String) throws -> [String: String] {
        try preloaded().merging(["FAKETIME": offset]) { $1 }
    }

    /// The environment in which tokens are issued that are good by any clock which differs by less than two hours.
    static func longLived() throws -> [String: String] {
        try environment(at: "-2h").merging(["ACCESS_TOKEN_EXPIRE_MINUTES": "600"]) { $1 }
    }

    private static func preloaded() throws -> [String: String] {
        let places = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        let library = try #require(places.first { FileManager.default.fileExists(atPath: $0) }, "install faketime: make setup")
        return ["LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"]
    }
}
