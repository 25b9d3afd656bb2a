import HTTPTypes
import Testing

@testable import EMSServer

@Suite("Known paths")
struct KnownPathsTests {
    private let paths = KnownPaths([
        ("/events", .get), ("/events", .post), ("/events/search", .get), ("/events/{id}", .get), ("/events/{id}", .delete),
        ("/events/unsubscribe/{event_id}", .delete),
    ])

    @Test(
        "The methods of the path that is meant are listed, what is spelt out before what is a parameter",
        arguments: [
            ("/events", "GET, HEAD, POST"), ("/events/search", "GET, HEAD"), ("/events/7", "DELETE, GET, HEAD"),
            ("/events/unsubscribe/7", "DELETE"), ("/events/", "GET, HEAD, POST"),
        ])
    func allowed(path: String, methods: String) {
        #expect(paths.allowed(at: path) == methods)
    }

    @Test("A path that is not there allows nothing", arguments: ["", "/", "/event", "/events/7/8", "/events/unsubscribe/7/8"])
    func unknown(path: String) {
        #expect(paths.allowed(at: path) == nil)
    }
}
