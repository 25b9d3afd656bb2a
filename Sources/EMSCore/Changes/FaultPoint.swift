#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The lines between two steps of a change's way where a crash hurts most. In debug builds only, `EMS_FAULT_POINT` names one at which
/// the process kills itself, so that tests choose the moment; release builds hold nothing of it.
public enum FaultPoint: String {
    case betweenWriteAndPublish = "between-write-and-publish"
    case betweenEntryAndPublish = "between-entry-and-publish"
    case betweenPublishAndClear = "between-publish-and-clear"
    case betweenReceiveAndRecord = "between-receive-and-record"
    case betweenRecordAndAcknowledge = "between-record-and-acknowledge"
    case betweenExpansions = "between-expansions"
    case betweenCheckpointAndCut = "between-checkpoint-and-cut"
    case betweenCuts = "between-cuts"

    @inline(__always)
    public static func reached(_ point: FaultPoint) {
        #if DEBUG
        if let chosen = getenv("EMS_FAULT_POINT"), String(cString: chosen) == point.rawValue { kill(getpid(), SIGKILL) }
        #endif
    }
}
