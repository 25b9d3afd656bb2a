import EMSCore
import EMSRuntime
import NIOConcurrencyHelpers
import Synchronization

/// Counts what is answered, for `/metrics`.
final class ServerMetrics: Sendable {
    /// The upper bounds of the histogram's buckets, in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private let meters = NIOLockedValueBox<[String: Meter]>([:])
    private let startedAt = Timestamp.now()
    private let kept = Atomic<Int>(0)

    /// The counters of one operation.
    final class Meter: Sendable {
        fileprivate struct State {
            var byStatus: [Int: Int] = [:]
            var buckets = [Int](repeating: 0, count: bounds.count + 1)
            var seconds = 0.0
        }

        fileprivate let state = NIOLockedValueBox(State())

        func record(_ status: Int, _ duration: Duration) {
            let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
            let bucket = bounds.firstIndex { seconds <= $0 } ?? bounds.count
            state.withLockedValue {
                $0.byStatus[status, default: 0] += 1
                $0.buckets[bucket] += 1
                $0.seconds += seconds
            }
        }
    }

    /// An answer was given again as it was.
    func keptAnswerGiven() { kept.add(1, ordering: .relaxed) }

    func meter(_ operation: String) -> Meter {
        meters.withLockedValue { meters in
            if let known = meters[operation] { return known }
            let meter = Meter()
            meters[operation] = meter
            return meter
        }
    }

    /// Everything in the text format of Prometheus, version 0.0.4.
    /// - Parameters:
    ///   - health: `nil` where the store does not answer.
    ///   - webSocketSessions: how many are connected; `nil` where none are served.
    func text(health: Runtime.Health?, webSocketSessions: Int?) -> String {
        var page = PrometheusPage()
        let states = meters.withLockedValue { $0 }.map { ($0.key, $0.value.state.withLockedValue { $0 }) }.sorted { $0.0 < $1.0 }
        page.family("ems_http_requests_total", "counter", "Requests answered.")
        for (operation, state) in states {
            for (status, count) in state.byStatus.sorted(by: { $0.key < $1.key }) {
                page.sample("ems_http_requests_total", Double(count), ["operation": operation, "status": String(status)])
            }
        }
        page.family("ems_http_kept_answers_total", "counter", "Requests answered with what was kept of an earlier answer.")
        page.sample("ems_http_kept_answers_total", Double(kept.load(ordering: .relaxed)))
        page.family("ems_http_request_duration_seconds", "histogram", "From the request's head to its answer.")
        for (operation, state) in states where !state.byStatus.isEmpty {
            var sum = 0
            for (bound, count) in zip(Self.bounds.map { "\($0)" } + ["+Inf"], state.buckets) {
                sum += count
                page.sample("ems_http_request_duration_seconds_bucket", Double(sum), ["operation": operation, "le": bound])
            }
            page.sample("ems_http_request_duration_seconds_sum", state.seconds, ["operation": operation])
            page.sample("ems_http_request_duration_seconds_count", Double(sum), ["operation": operation])
        }
        if let webSocketSessions { page.gauge("ems_websocket_sessions", "Connected WebSockets.", Double(webSocketSessions)) }
        page.gauge("ems_store_up", "Whether the store answers.", health == nil ? 0 : 1)
        if let health {
            page.gauge("ems_pending_changes", "Changes that are stored, and not handed over yet.", Double(health.pending.count))
            page.gauge(
                "ems_expanding_notifications", "Notifications on their way into the inboxes of many recipients.", Double(health.expansions))
            let broker = try? health.broker.get()
            page.gauge("ems_broker_up", "Whether the broker answers.", broker == nil ? 0 : 1)
            page.gauge("ems_consumer_up", "Whether changes are recorded.", health.consumer.failingSince == nil ? 1 : 0)
            if let broker {
                page.gauge("ems_queued_changes", "Changes that wait at the broker.", Double(broker.depth))
                page.gauge(
                    "ems_unacknowledged_changes", "Changes that were delivered, and not recorded yet.", Double(broker.unacknowledged))
                page.gauge("ems_dead_letters", "Messages that could not be consumed.", Double(broker.deadLetters))
            }
        }
        page.gauge("process_start_time_seconds", "When the process began, since the Unix epoch.", Double(startedAt.milliseconds) / 1000)
        if let usage = ProcessUsage.current() {
            page.family("process_cpu_seconds_total", "counter", "Processor time used.")
            page.sample("process_cpu_seconds_total", usage.cpuSeconds)
            page.gauge("process_resident_memory_bytes", "Memory in use.", Double(usage.residentBytes))
            page.gauge("process_open_fds", "Open file descriptors.", Double(usage.openDescriptors))
        }
        return page.text
    }
}

/// Lines of the text format of Prometheus.
private struct PrometheusPage {
    private(set) var text = ""

    mutating func family(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }

    mutating func sample(_ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        let inBraces = labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        text += "\(name)\(inBraces.isEmpty ? "" : "{\(inBraces)}") \(number)\n"
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        family(name, "gauge", help)
        sample(name, value)
    }
}
