import ArgumentParser
import EMSCore
import EMSRuntime

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

struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Check the configuration, and that store and broker answer. Says nothing where all is well; a fault ends with its status.",
        discussion: examples("ems config check", "ems config check --config /etc/ems/config.yaml --profile production"))

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        // What is not there yet is made by the first command, not by a look.
        let settings = try global.settings()
        guard settings.isStoreMade else { return try Self.expectMakeable(settings.dataDirectory) }
        _ = try settings.tokenKeys()
        let runtime = try await global.openRuntime(.inspection)
        _ = try await runtime.health().broker.get()
        await runtime.close()
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/permission`` where the directory could not be made, or nothing be made in it.
    private static func expectMakeable(_ directory: String) throws {
        let files = FileManager.default
        var place = URL(fileURLWithPath: directory)
        var isDirectory = false
        while !files.fileExists(atPath: place.path, isDirectory: &isDirectory), place.path != "/" {
            place = place.deletingLastPathComponent()
        }
        guard isDirectory, access(place.path, W_OK | X_OK) == 0 else {
            throw EMSError(.permission, "the directory \(directory) cannot be made", fix: "make it, or name another with --data-dir")
        }
    }
}
