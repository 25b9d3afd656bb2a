import EMSCore
import Testing

@testable import EMSServer

@Suite("Headers of requests")
struct HeaderTests {
    @Test(
        "A strong entity tag names a version by the very text it was sent as",
        arguments: [
            ("\"1\"", 1), ("\"42\"", 42), ("1", nil), ("\"01\"", nil), ("\"+1\"", nil), ("W/\"1\"", nil), ("\"\"", nil), ("\"", nil),
            ("", nil),
            ("\"1\", \"2\"", nil), ("\"one\"", nil),
        ] as [(String, Int?)])
    func entityTags(tag: String, version: Int?) {
        #expect(EntityTag.version(tag) == version)
    }

    @Test("In a list a tag is known, weak or strong", arguments: ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"])
    func listedTags(header: String) {
        #expect(EntityTag.isListed("\"1\"", in: header))
        #expect(!EntityTag.isListed("\"1\"", in: "\"2\", W/\"3\""))
    }

    @Test(
        "A bearer token is what follows the scheme",
        arguments: [("Bearer a.b", "a.b"), ("bearer  a.b ", "a.b"), ("Bearer ", nil), ("Bearer", nil), ("Basic a", nil)]
            as [(String, String?)])
    func bearerTokens(header: String, token: String?) {
        #expect(BearerToken.token(inAuthorization: header) == token)
    }

    @Test(
        "gzip is taken where it, or anything, is accepted",
        arguments: [
            ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true), ("x-gzip", true), ("gzip;q=0", false), ("*;q=0", false),
            ("gzip;q=0, *", false), ("identity", false), ("", false), ("gzip;q=nonsense", false),
        ])
    func codings(header: String, isTaken: Bool) {
        #expect(AcceptEncoding.takesGzip(header) == isTaken)
    }
}
