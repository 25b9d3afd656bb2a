import Synchronization

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

/// Colours, where somebody can see them: on a terminal, unless `NO_COLOR`, `TERM=dumb` or `--no-color` is said; elsewhere only for
/// `CLICOLOR_FORCE`.
enum Style: String {
    // SGR (ECMA-48, section 8.3.117).
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"

    private static let isOff = Atomic<Bool>(false)

    /// `--no-color` is among the arguments.
    static func turnOff(_ isOff: Bool) { self.isOff.store(isOff, ordering: .relaxed) }

    static func isShown(on descriptor: Int32) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        if isOff.load(ordering: .relaxed) || !(environment["NO_COLOR"] ?? "").isEmpty { return false }
        if let force = environment["CLICOLOR_FORCE"], !force.isEmpty, force != "0" { return true }
        return environment["TERM"] != "dumb" && environment["CLICOLOR"] != "0" && isatty(descriptor) == 1
    }

    func applied(to text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}

/// How large the terminal is that a descriptor leads to; `nil` where it leads elsewhere.
enum TerminalSize {
    static func of(_ descriptor: Int32) -> (columns: Int, rows: Int)? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
