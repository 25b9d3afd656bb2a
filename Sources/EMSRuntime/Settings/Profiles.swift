import EMSCore
import Yams

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One of several stores that a configuration file names.
public struct ProfileEntry: Sendable {
    /// `default` for what stands outside the profiles.
    public let name: String
    public let store: String
    public let isProduction: Bool
    public let isInUse: Bool
}

extension SettingSources {
    /// The profiles of the file, in the order of their names, and before them what holds without any.
    public func profiles() throws -> [ProfileEntry] {
        let names = try file.map { try Self.profileNames(in: $0) } ?? []
        return ([nil] + names.map { $0 as String? }).map { name in
            func value(_ key: SettingKey) -> String? { try? valueInFile(key, profile: name) }
            let url = value(.mongodbURL)
            let store = url.map { Self.withoutSecrets($0) } ?? value(.dataDir) ?? "the data directory of its user"
            return ProfileEntry(
                name: name ?? "default", store: store, isProduction: value(.production).flatMap(Settings.boolean) ?? false,
                isInUse: name == profile)
        }
    }

    /// Writes into the file which profile is used where nobody says otherwise. Everything else in it stays as it is.
    /// - Parameter name: `nil` for none.
    /// - Returns: the file.
    public static func use(_ name: String?, file: String?, environment: [String: String]) throws -> String {
        let sources = try SettingSources(file: file, profile: name, environment: environment)
        guard let path = sources.file else {
            throw EMSError(.configuration, "there is no configuration file", fix: "write one: \(usualPlaces(environment)[0])")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EMSError(.configuration, "the configuration file \(path) cannot be read", fix: "check that it exists and its mode")
        }
        var lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let place = lines.firstIndex { $0.hasPrefix("profile:") }
        if let place { lines.remove(at: place) }
        if let name {
            let quoted = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") } ? name : "\"\(name)\""
            // Behind the comments that a file begins with.
            lines.insert("profile: \(quoted)", at: place ?? lines.firstIndex { !$0.hasPrefix("#") && $0 != "---" } ?? 0)
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        do {
            try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            if let mode = attributes?[.posixPermissions] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
        } catch {
            throw EMSError(.permission, "the configuration file \(path) cannot be written", fix: "check its mode and that of its directory")
        }
        return path
    }

    private static func profileNames(in path: String) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path),
            let root = try? Yams.compose(yaml: String(decoding: data, as: UTF8.self))
        else { return [] }
        return (root.mapping?["profiles"]?.mapping?.keys.compactMap(\.string) ?? []).sorted()
    }

    /// A URL as it may be shown.
    static func withoutSecrets(_ url: String) -> String {
        guard let scheme = url.range(of: "://") else { return "********" }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let host = authority.utf8.lastIndex(of: UInt8(ascii: "@")).map { authority[authority.utf8.index(after: $0)...] } ?? authority
        return String(url[..<scheme.upperBound] + host + rest[authority.endIndex...].prefix { $0 != "?" })
    }
}
