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

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: """
            Look at all that can be wrong: configuration, files, clock, limits, keys, store and broker; and say how to mend it. The exit \
            status is 0 where nothing is broken; otherwise that of the first failure.
            """,
        discussion: examples(
            "ems doctor",
            "ems doctor --profile staging --strict",
            "ems doctor -o json | jq -e '.result != \"failure\"'"))

    @Flag(help: "Count warnings as failures: end with 1.")
    var strict = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        var findings: [Finding] = []
        let sources = await look("configuration", into: &findings) { try global.sources() }
        if let sources { findings += ConfigurationChecks(sources: sources).findings() }
        // A file that cannot be read was told already.
        let settings = sources == nil ? nil : await look("settings", into: &findings) { try global.settings() }
        if let settings {
            findings += MachineChecks(settings: settings).findings()
            findings += await KeyChecks(settings: settings).findings()
            guard settings.isStoreMade else {
                // A look makes nothing.
                findings.append(.ok("store", "\(settings.databasePath) is not there yet: the first command makes it"))
                return try show(Diagnosis(findings: findings))
            }
            let runtime = await look("store.reachable", into: &findings) {
                try await withDeadline(ServerChecks.patience, "the store") { try await global.openRuntime(.inspection) }
            }
            if let runtime {
                findings += await ServerChecks(runtime: runtime).findings()
                await runtime.close()
            }
        }
        try show(Diagnosis(findings: findings))
    }

    /// What a look gives; a failure is a finding.
    private func look<Value>(
        _ check: String, into findings: inout [Finding], _ body: () async throws -> Value
    ) async -> Value? {
        do {
            return try await body()
        } catch {
            findings.append(.failure(check, error))
            return nil
        }
    }

    private func show(_ diagnosis: Diagnosis) throws {
        switch output.output {
        case .json: try StandardOutput.write(diagnosis.json(pretty: true) + [0x0A])
        case .table where output.columns == nil: try StandardOutput.write(Self.text(diagnosis))
        default: try output.show(diagnosis.findings)
        }
        if let failure = diagnosis.findings.first(where: { $0.result == .failure }) {
            throw ExitCode((failure.code ?? .failed).exitStatus)
        }
        if strict, diagnosis.result == .warning { throw ExitCode(ErrorCode.failed.exitStatus) }
    }

    /// A line each, and below it how to mend what is wrong.
    private static func text(_ diagnosis: Diagnosis) -> String {
        let isColoured = Style.isShown(on: STDOUT_FILENO)
        let width = diagnosis.findings.map(\.check.count).max() ?? 0
        var text = ""
        for finding in diagnosis.findings {
            let word = finding.result.rawValue + String(repeating: " ", count: 8 - finding.result.rawValue.count)
            let style: Style = finding.result == .ok ? .green : finding.result == .warning ? .yellow : .red
            text += (isColoured ? style.applied(to: word) : word) + " "
            text +=
                finding.check + String(repeating: " ", count: width - finding.check.count + 2) + Printable.stripped(finding.message) + "\n"
            if let fix = finding.fix { text += String(repeating: " ", count: 9 + width + 2) + "→ " + Printable.stripped(fix) + "\n" }
        }
        return text
    }
}

extension FileManager {
    /// The permission bits of a file; `nil` where there is none.
    func mode(_ path: String) -> Int? {
        (try? attributesOfItem(atPath: path))?[.posixPermissions].flatMap { $0 as? Int }
    }
}
