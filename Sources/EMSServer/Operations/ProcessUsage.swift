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

/// What this process takes of the machine, by `/proc` (proc(5)).
struct ProcessUsage {
    let cpuSeconds: Double
    let residentBytes: Int
    let openDescriptors: Int

    /// `nil` where there is no `/proc`.
    static func current() -> ProcessUsage? {
        guard let memory = FileManager.default.contents(atPath: "/proc/self/statm"),
            let pages = String(decoding: memory, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        else { return nil }
        var usage = rusage()
        #if canImport(Glibc)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        let seconds = [usage.ru_utime, usage.ru_stime].reduce(0.0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        return ProcessUsage(
            cpuSeconds: seconds, residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))), openDescriptors: descriptors.count)
    }
}
