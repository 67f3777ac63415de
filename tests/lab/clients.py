"""What the client does, with libcurl. Called in the client's namespace (Lab.client)."""

import io
import time

import namespaces
import pycurl

from lab import SERVER

_TIMEOUT_S = 30


class Browser:
    """One user: connections are kept and shared by what it fetches; at most `connections` to a server
    over HTTP/1.1, one over HTTP/2 (cleartext and known beforehand, or agreed on within TLS)."""

    def __init__(self, connections=6, http2=False, tls=None):
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1 if http2 else connections)
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX if http2 else 0)
        self._http2 = http2
        self._tls = tls
        self._handles = []

    def fetch(self, *urls, referer=None, headers=()):
        """All at once; returns when all are there. Returns the handles, for getinfo()."""
        handles = [self._handle(url, referer, headers) for url in urls]
        for h in handles:
            self._multi.add_handle(h)
        left = len(handles)
        while left:
            while True:
                status, _ = self._multi.perform()
                if status != pycurl.E_CALL_MULTI_PERFORM:
                    break
            queued, done, failed = self._multi.info_read(len(handles))
            if failed:
                raise RuntimeError(f"{failed[0][0].getinfo(pycurl.EFFECTIVE_URL)}: "
                                   f"{failed[0][2]} (curl {failed[0][1]})")
            for h in done:
                self._multi.remove_handle(h)
            left -= len(done)
            if left and not done:
                self._multi.select(1.0)
        return handles

    def _handle(self, url, referer, headers):
        h = pycurl.Curl()
        h.setopt(pycurl.URL, url)
        h.setopt(pycurl.WRITEDATA, io.BytesIO())
        h.setopt(pycurl.TIMEOUT, _TIMEOUT_S)
        h.setopt(pycurl.IPRESOLVE, pycurl.IPRESOLVE_V4)
        h.setopt(pycurl.PROXY, "")
        # GnuTLS reads every certificate of the system before its ClientHello (30 ms, more under load),
        # unless it is told of others.
        h.setopt(pycurl.CAINFO, f"{namespaces.FILES}/certificate.pem")
        h.setopt(pycurl.CAPATH, f"{namespaces.FILES}/no-certificates")
        h.setopt(pycurl.SSL_VERIFYPEER, 0)
        h.setopt(pycurl.SSL_VERIFYHOST, 0)
        h.setopt(pycurl.DNS_CACHE_TIMEOUT, 0)
        h.setopt(pycurl.TCP_NODELAY, 1)
        h.setopt(pycurl.HTTPHEADER, list(headers))
        if self._http2 and url.startswith("https:"):
            h.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        elif self._http2:
            # libcurl 7.88 fails when what goes over an open connection asks for "prior knowledge".
            h.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2 if self._handles else
                     pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        else:
            h.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        if self._tls is not None:
            h.setopt(pycurl.SSLVERSION, self._tls)
        if referer:
            h.setopt(pycurl.REFERER, referer)
        self._handles.append(h)  # libcurl wants them alive as long as the connections
        return h

    def close(self):
        self._multi.close()


def timed(function, *arguments, **named):
    begin = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - begin


def url(path, scheme="http", host=SERVER):
    return f"{scheme}://{host}{path}"
