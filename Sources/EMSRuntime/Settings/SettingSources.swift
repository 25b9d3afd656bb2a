import Configuration
import EMSCore
import Yams

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

/// Where settings come from: flags, then the profile that was asked for (`--profile`, `EMS_PROFILE`), then the environment, then the
/// profile that the file itself chooses, then the file, then the defaults.
public struct SettingSources: Sendable {
    /// A value, and who said it.
    public struct Found: Sendable, Equatable {
        public let value: String
        /// `--port`, `EMS_PORT`, `config.yaml, profile staging`, `default`.
        public let source: String
        /// How explicitly it was said.
        public let level: Level

        /// Whether a flag said it: a wrong value is then wrong usage.
        public var isFlag: Bool { level == .flag }
    }

    /// The most explicit first.
    public enum Level: Int, Sendable, Comparable {
        case flag, requestedProfile, environment, profile, file, `default`

        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// Who chose the profile.
    private let profileSource: String
    /// Whether it was asked for, rather than chosen by the file.
    private let isProfileRequested: Bool
    /// The file that was read, where there was one.
    public let file: String?
    public let profile: String?
    private let flags: [SettingKey: String]
    private let environment: EnvironmentVariablesProvider
    private let snapshot: YAMLSnapshot?

    /// Finds and reads the configuration file.
    /// - Parameters:
    ///   - flags: what the command line says.
    ///   - file: `--config`; where it is `nil`, the first of the usual places that exists, if any.
    ///   - profile: `--profile`.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration``.
    public init(
        flags: [SettingKey: String] = [:], file: String? = nil, profile: String? = nil, environment variables: [String: String]
    ) throws {
        self.flags = flags
        environment = EnvironmentVariablesProvider(environmentVariables: variables)
        let named = file ?? variables["EMS_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.file = named ?? Self.usualPlaces(variables).first { FileManager.default.fileExists(atPath: $0) }
        let wanted = profile ?? variables["EMS_PROFILE"].flatMap { $0.isEmpty ? nil : $0 }
        let read = try self.file.map { try Self.read($0, profile: wanted) }
        snapshot = read?.snapshot
        isProfileRequested = wanted != nil
        profileSource = profile != nil ? "--profile" : wanted != nil ? "EMS_PROFILE" : self.file ?? ""
        // `default` is the name of what stands outside the profiles.
        self.profile = [wanted ?? read?.profile].compactMap(\.self).first { $0 != "default" }
        if let profile = self.profile, profile != "default", self.file == nil {
            throw EMSError(
                .configuration, "the profile \(Printable.quoted(profile)) is wanted, but there is no configuration file",
                fix: "write one: \(Self.usualPlaces(variables)[0])")
        }
    }

    public func find(_ key: SettingKey) throws -> Found? {
        if key == .profile, let profile {
            return Found(value: profile, source: profileSource, level: isProfileRequested ? .requestedProfile : .file)
        }
        if let value = flags[key] {
            return Found(value: value, source: "--" + key.rawValue.replacing("_", with: "-"), level: .flag)
        }
        if isProfileRequested, let found = try foundInProfile(key) { return found }
        for name in key.environmentNames {
            if let value = try environment.environmentValue(forName: name), !value.isEmpty {
                return Found(value: value, source: name, level: .environment)
            }
        }
        if let snapshot, let file {
            if let found = try foundInProfile(key) { return found }
            if let value = try value(in: snapshot, [key.rawValue]) { return Found(value: value, source: file, level: .file) }
        }
        return key.defaultValue.map { Found(value: $0, source: "default", level: .default) }
    }

    private func foundInProfile(_ key: SettingKey) throws -> Found? {
        guard let snapshot, let file, let profile, let value = try value(in: snapshot, ["profiles", profile, key.rawValue]) else {
            return nil
        }
        return Found(
            value: value, source: "\(file), profile \(profile)", level: isProfileRequested ? .requestedProfile : .profile)
    }

    /// What the file says for a profile, or outside of all.
    func valueInFile(_ key: SettingKey, profile: String?) throws -> String? {
        guard let snapshot else { return nil }
        if let profile, let value = try value(in: snapshot, ["profiles", profile, key.rawValue]) { return value }
        return try value(in: snapshot, [key.rawValue])
    }

    public func environmentValue(_ name: String) -> String? {
        guard let value = try? environment.environmentValue(forName: name), !value.isEmpty else { return nil }
        return value
    }

    static func usualPlaces(_ environment: [String: String]) -> [String] {
        [SystemPlaces.directory("XDG_CONFIG_HOME", ".config", in: environment), "/etc"].compactMap { $0.map { $0 + "/ems/config.yaml" } }
    }

    private func value(in snapshot: YAMLSnapshot, _ path: [String]) throws -> String? {
        do {
            guard let found = try snapshot.value(forKey: AbsoluteConfigKey(path), type: .string).value else { return nil }
            guard case .string(let text) = found.content else { return nil }
            return text
        } catch {
            throw EMSError(.configuration, "\(file ?? "the file"): \(path.joined(separator: ".")) must be one value, not a list or a map")
        }
    }

    /// Reads the file, and refuses keys that mean nothing: a misspelt one would otherwise be passed over in silence.
    /// - Returns: what it holds, and the profile that it chooses itself.
    private static func read(_ path: String, profile wanted: String?) throws -> (snapshot: YAMLSnapshot, profile: String?) {
        let data = Data(try GuardedFile.read(path, as: .configuration))
        do {
            let text = String(decoding: data, as: UTF8.self)
            try YAMLAliases.refuseMany(text, path: path)
            let root = try Yams.compose(yaml: text)
            guard let root else { return (try snapshot(Data("{}".utf8), path), nil) }
            guard let mapping = root.mapping else { throw EMSError(.configuration, "\(path) must hold a map of settings") }
            try check(mapping, path: path, prefix: "")
            let chosen = mapping["profile"]?.string
            if let profile = wanted ?? chosen, !profile.isEmpty, profile != "default", mapping["profiles"]?.mapping?[Node(profile)] == nil {
                let names = mapping["profiles"]?.mapping?.keys.compactMap(\.string) ?? []
                throw EMSError(
                    .configuration, "\(path) has no profile \(Printable.quoted(profile))",
                    fix: names.isEmpty ? "add one under profiles:" : "its profiles are \(names.joined(separator: ", "))")
            }
            return (try snapshot(data, path), chosen)
        } catch let error as EMSError {
            throw error
        } catch {
            throw EMSError(.configuration, "\(path) is not valid YAML\(place(of: error))")
        }
    }

    /// Where the fault is, and what: never the line itself, which may hold a secret.
    private static func place(of error: any Error) -> String {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            ": \(problem) at line \(mark.line), column \(mark.column)"
        default: ""
        }
    }

    private static func snapshot(_ data: Data, _ path: String) throws -> YAMLSnapshot {
        try YAMLSnapshot(data: Array(data).span.bytes, providerName: path, parsingOptions: .default)
    }

    private static func check(_ mapping: Node.Mapping, path: String, prefix: String) throws {
        for (key, value) in mapping {
            let name = key.string ?? ""
            if prefix.isEmpty, name == "profiles" {
                guard let profiles = value.mapping else {
                    throw EMSError(.configuration, "\(path): profiles must hold a map of profiles")
                }
                for (profile, settings) in profiles {
                    guard let settings = settings.mapping else {
                        throw EMSError(.configuration, "\(path): profiles.\(profile.string ?? "") must hold a map of settings")
                    }
                    try check(settings, path: path, prefix: "profiles.\(profile.string ?? "").")
                }
            } else if SettingKey(rawValue: name) == nil || (name == "profile" && !prefix.isEmpty) {
                let nearest = Suggestion.nearest(to: name, among: SettingKey.allCases.map(\.rawValue))
                throw EMSError(
                    .configuration, "\(path): there is no setting \(Printable.quoted(prefix + name))",
                    fix: nearest.map { "did you mean \($0)?" } ?? "ems config list shows all")
            } else if value.scalar == nil {
                throw EMSError(.configuration, "\(path): \(prefix + name) must be one value, not a list or a map")
            }
        }
    }
}

/// The directories of the XDG Base Directory Specification.
public enum SystemPlaces {
    /// The directory a variable names, or the one under the home directory if it names none (or a relative one).
    /// - Returns: `nil` if there is no home directory.
    public static func directory(_ variable: String, _ underHome: String, in environment: [String: String]) -> String? {
        if let path = environment[variable], path.hasPrefix("/") { return path }
        return home(in: environment).map { $0 + "/" + underHome }
    }

    /// `HOME`, or what the user database says if that is not set, as for a service that systemd starts: never the root directory, where
    /// nobody would look for a store.
    private static func home(in environment: [String: String]) -> String? {
        if let home = environment["HOME"], home.hasPrefix("/") { return home == "/" ? nil : home }
        guard let entry = getpwuid(geteuid()), let path = entry.pointee.pw_dir.map({ String(cString: $0) }), path.hasPrefix("/"),
            path != "/", FileManager.default.fileExists(atPath: path)
        else { return nil }
        return path
    }
}
