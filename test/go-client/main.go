// go-client URL CA CASE: sends the requests of a case over HTTP/2, with the standard library alone, and prints their answers as JSON.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"sync"
	"time"
)

const uploadBytes = 3000000

// An answer is what came back for a request. Sent and Received are hashes of the content in each direction.
type answer struct {
	Proto    string `json:"proto"`
	Status   int    `json:"status"`
	Length   int64  `json:"length"`
	Bytes    int64  `json:"bytes"`
	Sent     string `json:"sent,omitempty"`
	Received string `json:"received"`
	Trailer  string `json:"trailer,omitempty"`
	Hint     string `json:"hint,omitempty"`
	Reused   bool   `json:"reused"`
}

type caller struct {
	http.Client
	url string
}

func main() {
	client, err := newCaller(os.Args[1], os.Args[2])
	if err != nil {
		fail(err)
	}
	cases := map[string]func(*caller) ([]*answer, error){
		"methods":  methods,
		"upload":   upload,
		"many":     many,
		"trailers": trailers,
		"hints":    hints,
		"cancel":   cancelled,
		"drain":    drain,
	}
	answers, err := cases[os.Args[3]](client)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answers)
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func newCaller(url, authority string) (*caller, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("there is no certificate in " + authority)
	}
	transport := &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: roots, ServerName: "localhost"},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	}
	return &caller{http.Client{Transport: transport, Timeout: time.Minute}, url}, nil
}

func (c *caller) request(method, path string, content io.Reader) *http.Request {
	request, err := http.NewRequest(method, c.url+path, content)
	if err != nil {
		panic(err)
	}
	return request
}

// ask sends a request and reads its whole response.
func (c *caller) ask(request *http.Request) (*answer, error) {
	result := &answer{}
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { result.Reused = info.Reused },
		Got1xxResponse: func(code int, fields textproto.MIMEHeader) error {
			result.Hint = fmt.Sprintf("%d %s", code, fields.Get("Link"))
			return nil
		},
	}
	response, err := c.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	hash := sha256.New()
	result.Bytes, err = io.Copy(hash, response.Body)
	result.Proto = response.Proto
	result.Status = response.StatusCode
	result.Length = response.ContentLength
	result.Received = hex.EncodeToString(hash.Sum(nil))
	result.Trailer = response.Trailer.Get("X-After")
	return result, err
}

// all sends these requests one after the other.
func (c *caller) all(requests ...*http.Request) ([]*answer, error) {
	var answers []*answer
	for _, request := range requests {
		result, err := c.ask(request)
		if err != nil {
			return nil, err
		}
		answers = append(answers, result)
	}
	return answers, nil
}

// together sends these requests at the same time.
func (c *caller) together(requests ...*http.Request) ([]*answer, error) {
	answers := make([]*answer, len(requests))
	failures := make([]error, len(requests))
	var running sync.WaitGroup
	for i := range requests {
		running.Add(1)
		go func(i int) {
			defer running.Done()
			answers[i], failures[i] = c.ask(requests[i])
		}(i)
	}
	running.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func methods(c *caller) ([]*answer, error) {
	return c.all(c.request("GET", "/large", nil), c.request("HEAD", "/large", nil), c.request("DELETE", "/", nil))
}

// randomContent returns content and its hash.
func randomContent() ([]byte, string) {
	content := make([]byte, uploadBytes)
	rand.New(rand.NewSource(1)).Read(content)
	sum := sha256.Sum256(content)
	return content, hex.EncodeToString(sum[:])
}

func upload(c *caller) ([]*answer, error) {
	content, sum := randomContent()
	answers, err := c.all(
		c.request("POST", "/echo", bytes.NewReader(content)),
		// Without a length: net/http does not know this kind of reader.
		c.request("POST", "/echo", io.MultiReader(bytes.NewReader(content))),
	)
	for _, each := range answers {
		each.Sent = sum
	}
	return answers, err
}

func many(c *caller) ([]*answer, error) {
	if _, err := c.ask(c.request("GET", "/", nil)); err != nil {
		return nil, err
	}
	var requests []*http.Request
	for i := 0; i < 100; i++ {
		requests = append(requests, c.request("GET", []string{"/", "/large"}[i%2], nil))
	}
	return c.together(requests...)
}

func trailers(c *caller) ([]*answer, error) {
	request := c.request("POST", "/echo", io.MultiReader(bytes.NewReader([]byte("content"))))
	request.Trailer = http.Header{"X-Sum": {"42"}}
	return c.all(request, c.request("GET", "/trailers", nil))
}

func hints(c *caller) ([]*answer, error) {
	return c.all(c.request("GET", "/hints", nil))
}

// cancelled gives up an endless response, then sends another request.
func cancelled(c *caller) ([]*answer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	response, err := c.Do(c.request("GET", "/endless", nil).WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if _, err := io.CopyN(io.Discard, response.Body, uploadBytes); err != nil {
		return nil, err
	}
	cancel()
	if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, context.Canceled) {
		return nil, fmt.Errorf("an endless response ended with: %v", err)
	}
	return c.all(c.request("GET", "/", nil))
}

// drain sends requests on one connection, which the server ends meanwhile. One of them brings its content only after that.
func drain(c *caller) ([]*answer, error) {
	first, err := c.ask(c.request("GET", "/", nil))
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	requests := []*http.Request{c.request("POST", "/echo", reader)}
	for i := 0; i < 20; i++ {
		requests = append(requests, c.request("GET", "/held", nil))
	}
	content, sum := randomContent()
	go func() {
		// The server lets the held requests go when it has announced the end of the connection.
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			writer.CloseWithError(err)
			return
		}
		writer.Write(content)
		writer.Close()
	}()
	answers, err := c.together(requests...)
	if err != nil {
		return nil, err
	}
	answers[0].Sent = sum
	return append([]*answer{first}, answers...), nil
}
