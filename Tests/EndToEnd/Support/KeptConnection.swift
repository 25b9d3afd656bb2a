import EMSCore
import Foundation
import NIOHTTP1

/// A client that sends one request after the other over one connection.
actor KeptConnection {
    private let connection: RawConnection
    private let port: Int
    private let token: String
    private var position = 0

    init(port: Int, token: String) async throws {
        connection = try await RawConnection(port: port)
        self.port = port
        self.token = token
    }

    /// Whether the server has closed it.
    var isEnded: Bool { connection.isEnded }

    func get(_ path: String, headers: [String] = []) async throws -> HTTPClient.Answer {
        let lines = ["GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Authorization: Bearer \(token)"] + headers
        try await connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let answer = takeAnswer() { return answer }
            if connection.isEnded { throw TimedOut(description: "the server closed the connection") }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw TimedOut(description: "GET \(path) is not answered")
    }

    private func takeAnswer() -> HTTPClient.Answer? {
        let bytes = connection.bytes(from: position)
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return nil }
        var lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n").filter { !$0.isEmpty }
        let status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
        let headers = HTTPHeaders(
            lines.map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
            })
        let length = headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        guard bytes.count >= bytes.distance(from: bytes.startIndex, to: end) + length else { return nil }
        position = end + length
        return HTTPClient.Answer(status: status, headers: headers, body: Array(bytes[end..<(end + length)]))
    }
}
