import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The lines between two steps of a change's way where a crash hurts most. In debug builds only, `EMS_FAULT_POINT` names one at which
/// the process kills itself, so that tests choose the moment: the first time that it gets there, or with `NAME:3` the third. Release
/// builds hold nothing of it.
public enum FaultPoint: String {
    case betweenWriteAndPublish = "between-write-and-publish"
    case betweenEntryAndPublish = "between-entry-and-publish"
    case betweenPublishAndClear = "between-publish-and-clear"
    case betweenReceiveAndRecord = "between-receive-and-record"
    case betweenRecordAndAcknowledge = "between-record-and-acknowledge"
    case betweenExpansions = "between-expansions"
    case betweenCheckpointAndCut = "between-checkpoint-and-cut"
    case betweenCuts = "between-cuts"
    case betweenDeletionSteps = "between-deletion-steps"
    case betweenMigrationSteps = "between-migration-steps"

    #if DEBUG
    private static let timesReached = Atomic<Int>(0)
    #endif

    @inline(__always)
    public static func reached(_ point: FaultPoint) {
        #if DEBUG
        guard let chosen = getenv("EMS_FAULT_POINT").map({ String(cString: $0).split(separator: ":") }), chosen[0] == point.rawValue
        else { return }
        let time = chosen.count > 1 ? Int(chosen[1]) ?? 1 : 1
        if timesReached.wrappingAdd(1, ordering: .relaxed).newValue == time { kill(getpid(), SIGKILL) }
        #endif
    }
}
