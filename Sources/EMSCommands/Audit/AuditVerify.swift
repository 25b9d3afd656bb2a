import ArgumentParser
import EMSCore
import EMSRuntime

struct AuditVerify: StoreCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check the journal's hashes, and that what is stored is what the journal says. Ends with 1 at a difference.",
        discussion: examples("ems audit verify", "ems audit verify -o json"))

    @OptionGroup var output: OutputOptions
    @OptionGroup var global: GlobalOptions

    func run(_ runtime: Runtime, as principal: Principal) async throws {
        let progress = ProgressLine()
        let report = try await runtime.journalVerifier.verify { progress.show("verified \($0) entries") }
        progress.end()
        try output.show(
            Facts([
                ("is_valid", .flag(report.fault == nil)), ("entries", .number(Int(report.entries))),
                ("hash", .text(report.hash.description)),
                ("position", .number(report.fault?.position.map { Int($0) })), ("fault", .text(report.fault?.description)),
            ]))
        guard let fault = report.fault else { return }
        let place = fault.position.map { "at position \($0): " } ?? ""
        throw EMSError(.failed, "the journal and the store differ \(place)\(fault.description)", fix: "compare them with a backup")
    }
}
