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

/// The program that shows what is longer than the screen: `EMS_PAGER`, `PAGER`, or less.
struct Pager {
    /// Where to write what it shows.
    let descriptor: Int32
    private let process: ChildProcess
    private let former: (@convention(c) (Int32) -> Void)?

    /// What is to be run; `nil` where none is wanted.
    static var command: String? {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["EMS_PAGER"] ?? environment["PAGER"] ?? "less"
        return wanted.isEmpty || wanted == "cat" ? nil : wanted
    }

    /// - Returns: `nil` where it cannot be started: what there is to show is then shown without.
    init?() {
        guard let command = Self.command else { return nil }
        guard let (reading, writing) = ChildProcess.pipe() else { return nil }
        // less ends by itself where all fits, keeps colours, and leaves what it showed.
        if ProcessInfo.processInfo.environment["LESS"] == nil { setenv("LESS", "FRX", 1) }
        // Where there is no such program, what there is to show is shown all the same.
        let shown = "command -v \(command.prefix { $0 != " " }) >/dev/null || exec cat; exec \(command)"
        let process = ChildProcess(shell: shown, input: reading)
        close(reading)
        guard let process else {
            close(writing)
            return nil
        }
        self.process = process
        descriptor = writing
        // Ctrl-C belongs to it as long as it runs.
        former = signal(SIGINT, SIG_IGN)
    }

    /// Tells it that all is written, and waits until it was read.
    func finish() {
        close(descriptor)
        _ = process.wait()
        signal(SIGINT, former)
    }
}
