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
        let file = try ReplacedFile(path)
        defer { withExtendedLifetime(file) {} }
        var lines = String(decoding: try GuardedFile.read(path, as: .configuration), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        let place = lines.firstIndex { $0.hasPrefix("profile:") }
        if let place { lines.remove(at: place) }
        if let name {
            let quoted = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") } ? name : "\"\(name)\""
            // Behind the comments that a file begins with.
            lines.insert("profile: \(quoted)", at: place ?? lines.firstIndex { !$0.hasPrefix("#") && $0 != "---" } ?? 0)
        }
        try file.replace(with: Array(lines.joined(separator: "\n").utf8)) { draft in
            // Written into a file that says it in another way (a flow map, several documents), the line may have come to nothing.
            let written = try SettingSources(file: draft, environment: [:])
            guard written.profile == (name == "default" ? nil : name) else {
                throw EMSError(
                    .configuration, "\(path) is written in a way that ems config use cannot change",
                    fix: "set profile: \(name ?? "default") in it yourself")
            }
        }
        return path
    }

    private static func profileNames(in path: String) throws -> [String] {
        let text = String(decoding: try GuardedFile.read(path, as: .configuration), as: UTF8.self)
        try YAMLAliases.refuseMany(text, path: path)
        guard let root = try? Yams.compose(yaml: text) else { return [] }
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

    /// The same, with a database behind it if the URL names none.
    static func withoutSecrets(_ url: String, database: String) -> String {
        let shown = withoutSecrets(url)
        guard let scheme = shown.range(of: "://") else { return shown }
        let parts = shown[scheme.upperBound...].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count < 2 || parts[1].isEmpty ? "\(shown[..<scheme.upperBound])\(parts.first ?? "")/\(database)" : shown
    }
}
