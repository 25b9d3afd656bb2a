import CClock
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

/// The configuration's own faults.
struct ConfigurationChecks {
    let sources: SettingSources

    func findings() -> [Finding] {
        let place = sources.file ?? "no file: environment and defaults"
        let profile = sources.profile.map { ", profile \($0)" } ?? ""
        var findings = [Finding.ok("configuration", place + profile)]
        if let file = sources.file, let mode = FileManager.default.mode(file) {
            if mode & 0o022 != 0 {
                findings.append(.warning("configuration.mode", "\(file) can be changed by others", fix: "chmod go-w \(file)"))
            } else if mode & 0o004 != 0, holdsSecret {
                findings.append(
                    .warning("configuration.mode", "\(file) holds a secret, and can be read by others", fix: "chmod o-r \(file)"))
            }
        }
        return findings
    }

    private var holdsSecret: Bool {
        SettingKey.allCases.filter(\.isSecret).contains { key in
            guard let found = try? sources.find(key), let file = sources.file, found.source.hasPrefix(file) else { return false }
            // A URL without a password tells nothing.
            return ![.mongodbURL, .rabbitmqURL].contains(key) || LineEditor.mayHoldSecret(found.value)
        }
    }
}

/// Files, clock and limits of the machine.
struct MachineChecks {
    let settings: Settings

    func findings() -> [Finding] {
        [clock, openFiles] + files + (settings.store == .embedded ? [disk].compactMap(\.self) : []) + network
    }

    /// Whose other eyes could read what is ours.
    private var files: [Finding] {
        let files = FileManager.default
        guard settings.store == .embedded || settings.secretKey == nil else { return [] }
        var findings: [Finding] = []
        for path in [settings.dataDirectory, settings.databasePath, settings.secretKeyPath, settings.secretKeyPath + ".previous"] {
            guard let mode = files.mode(path), mode & 0o077 != 0 else { continue }
            findings.append(.warning("files.mode", "\(path) is open to others", fix: "chmod go-rwx \(path)"))
        }
        guard findings.isEmpty else { return findings }
        let isMade = settings.store != .embedded || files.fileExists(atPath: settings.databasePath)
        return [.ok("files", isMade ? "\(settings.dataDirectory), for its owner only" : "\(settings.dataDirectory) is not made yet")]
    }

    private var clock: Finding {
        if Timestamp.now() < Self.release {
            return .warning("clock", "it is \(Timestamp.now()), before this program was written", fix: "timedatectl set-ntp true")
        }
        guard ems_clock_is_synchronised() == 1 else {
            return .warning("clock", "nothing says that the clock is set by NTP (\(Timestamp.now()))", fix: "timedatectl set-ntp true")
        }
        return .ok("clock", "set by NTP")
    }

    /// The beginning of the year of this version.
    private static let release = Timestamp("2026-01-01") ?? Timestamp(milliseconds: 0)

    private var openFiles: Finding {
        var limit = rlimit()
        #if canImport(Glibc)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
        getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        let wanted = UInt64(settings.server.connectionLimit) + 200
        guard limit.rlim_cur >= wanted else {
            return .warning(
                "limits.nofile", "\(limit.rlim_cur) files may be open, and max_connections is \(settings.server.connectionLimit)",
                fix: "ulimit -n \(wanted), or LimitNOFILE=\(wanted) in the unit; or set max_connections lower")
        }
        return .ok("limits.nofile", "\(limit.rlim_cur) files may be open")
    }

    private var disk: Finding? {
        var status = statvfs()
        guard statvfs(settings.dataDirectory, &status) == 0 else { return nil }
        let (product, isHuge) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let free = isHuge ? .max : product
        let megabytes = free / 1_000_000
        guard free > 1_000_000_000, Double(status.f_bavail) > Double(status.f_blocks) * 0.05 else {
            return .warning(
                "files.space", "\(megabytes) MB are free for \(settings.dataDirectory)", fix: "make room: df -h \(settings.dataDirectory)")
        }
        return .ok("files.space", "\(megabytes) MB are free")
    }

    /// What the world can reach, and how.
    private var network: [Finding] {
        guard !["127.0.0.1", "::1", "localhost"].contains(settings.host), settings.server.certificate == nil else { return [] }
        return [
            .warning(
                "network.tls", "the daemon would listen on \(settings.host) without TLS: passwords and tokens could be read on the way",
                fix: "set tls_cert and tls_key, or listen on 127.0.0.1 behind a proxy")
        ]
    }
}

/// Keys, passwords, and what guards them.
struct KeyChecks {
    let settings: Settings

    func findings() async -> [Finding] {
        var findings: [Finding] = []
        if settings.store == .embedded, !settings.isStoreMade, settings.secretKey == nil {
            findings.append(.ok("keys", "made with the first token"))
        } else {
            do {
                let keys = try settings.tokenKeys()
                findings.append(.ok("keys", "\(keys.count) of \(settings.algorithm.rawValue) from \(settings.tokenKeySource)"))
            } catch {
                findings.append(.failure("keys", error))
            }
        }
        if let secret = settings.secretKey, Set(secret.utf8).count < 10 {
            findings.append(
                .warning("keys.strength", "SECRET_KEY repeats few characters, and could be guessed", fix: "make one: openssl rand -hex 32"))
        }
        findings.append(await bcrypt())
        if settings.authentication.limits == nil {
            findings.append(.warning("limits.login", "log-in attempts are not limited", fix: "set rate_limit_enabled: true"))
        }
        return findings
    }

    private func bcrypt() async -> Finding {
        let start = ContinuousClock.now
        do {
            _ = try await PasswordHasher(cost: settings.bcryptCost).hash("A password of no one, 1!")
        } catch {
            return .failure("bcrypt", error)
        }
        let time = start.duration(to: .now).components
        let milliseconds = time.seconds * 1000 + time.attoseconds / 1_000_000_000_000_000
        let message = "cost \(settings.bcryptCost), \(milliseconds) ms for a password"
        if settings.bcryptCost < 10 { return .warning("bcrypt", "\(message): little against guessing", fix: "set bcrypt_salt_rounds: 12") }
        if milliseconds > 2000 { return .warning("bcrypt", "\(message): log-ins wait long", fix: "set bcrypt_salt_rounds lower") }
        return .ok("bcrypt", message)
    }
}
