import Synchronization

/// Waits for `body` for so long at most. What takes longer goes on by itself, and nobody hears of its end: for looks at servers that
/// hang, whose calls nothing can cut short.
/// - Throws: ``EMSError`` with ``ErrorCode/unreachable`` that says that `subject` gave no answer.
public func withDeadline<Value: Sendable>(
    _ limit: Duration, _ subject: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let once = Once(continuation)
        let timer = Task {
            try await Task.sleep(for: limit)
            once.resume(with: .failure(EMSError(.unreachable, "\(subject) gives no answer within \(limit)", retryAfter: 1)))
        }
        Task {
            do {
                once.resume(with: .success(try await body()))
            } catch {
                once.resume(with: .failure(error))
            }
            timer.cancel()
        }
    }
}

/// A continuation that the first of several resumes.
private final class Once<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) {
        self.continuation = Mutex(continuation)
    }

    func resume(with result: Result<Value, any Error>) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(with: result)
    }
}
