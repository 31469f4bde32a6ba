"""The names that each language has without any declaration or import."""

from __future__ import annotations

_LANGUAGE = """
AggregateError Array ArrayBuffer AsyncFunction Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date
Error EvalError FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array
Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set
SharedArrayBuffer String SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array
Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet arguments async await decodeURI decodeURIComponent
encodeURI encodeURIComponent escape eval globalThis isFinite isNaN let of parseFloat parseInt static super this
undefined unescape yield
"""
_NODE = """
Buffer Bun Deno WebAssembly __dirname __filename clearImmediate exports global gc module process require
setImmediate
"""
_WEB = """
AbortController AbortSignal Attr Audio AudioContext AudioWorkletProcessor Blob BroadcastChannel CSS
CSSStyleSheet Cache CanvasRenderingContext2D CharacterData ClipboardItem CloseEvent Comment CompositionEvent
CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DOMMatrix DOMParser DOMPoint
DOMRect DataTransfer DecompressionStream Document DocumentFragment DragEvent Element ElementInternals ErrorEvent
Event EventSource EventTarget File FileList FileReader FocusEvent FontFace FormData GamepadEvent HTMLElement
HTMLAnchorElement HTMLButtonElement HTMLCanvasElement HTMLDivElement HTMLFormElement HTMLIFrameElement
HTMLImageElement HTMLInputElement HTMLOptionElement HTMLScriptElement HTMLSelectElement HTMLTemplateElement
HTMLTextAreaElement HTMLVideoElement Headers History IDBKeyRange Image ImageBitmap ImageData InputEvent
IntersectionObserver KeyboardEvent Location MediaQueryList MediaRecorder MediaSource MediaStream MessageChannel
MessageEvent MessagePort MouseEvent MutationObserver NamedNodeMap Navigator Node NodeFilter NodeList
Notification OffscreenCanvas Option PageTransitionEvent Path2D Performance PerformanceObserver PointerEvent
PopStateEvent ProgressEvent PromiseRejectionEvent RTCPeerConnection Range ReadableStream Request ResizeObserver
Response SVGElement Selection ServiceWorker ShadowRoot SharedWorker Storage StorageEvent StyleSheet SubmitEvent
Text TextDecoder TextDecoderStream TextEncoder TextEncoderStream TouchEvent TransformStream TreeWalker UIEvent
URL URLSearchParams VideoFrame WebGL2RenderingContext WebGLRenderingContext WebSocket WheelEvent Window Worker
WritableStream XMLHttpRequest XMLSerializer addEventListener alert atob blur btoa caches cancelAnimationFrame
cancelIdleCallback clearInterval clearTimeout close confirm console createImageBitmap crypto customElements
devicePixelRatio dispatchEvent document event fetch focus frames getComputedStyle getSelection history
importScripts indexedDB innerHeight innerWidth localStorage location matchMedia name navigator open opener
origin parent performance postMessage print prompt queueMicrotask removeEventListener reportError
requestAnimationFrame requestIdleCallback screen scroll scrollBy scrollTo scrollX scrollY self sessionStorage
setInterval setTimeout status stop structuredClone top visualViewport window chrome browser registerProcessor
sampleRate currentTime
"""
_USUAL = """
$ $$ jQuery _ React JSX Vue angular test it describe xit xdescribe fit fdescribe suite specify before after
beforeEach afterEach beforeAll afterAll expect assert jest vi vitest mocha chai sinon should cy Cypress jasmine
spyOn spyOnProperty spyOnAllFunctions expectAsync expectTypeOf assertType onTestFailed onTestFinished setup teardown
fail pending QUnit browser page context
define goog google gapi ga gtag dataLayer $state $derived $effect
$props $bindable $inspect defineProps defineEmits defineExpose withDefaults Java Packages load quit print
"""
_GO = """
any append bool byte cap clear close comparable complex complex128 complex64 copy delete error false float32
float64 imag int int16 int32 int64 int8 iota len make max min new nil panic print println real recover rune
string true uint uint16 uint32 uint64 uint8 uintptr C _
"""
_PRELUDE = """
AsMut AsRef Box Clone Copy Debug Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn FnMut
FnOnce From FromIterator Future Hash Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq
PartialOrd Result Send Some String Sync ToOwned ToString TryFrom TryInto Vec self
"""
SCRIPT = frozenset((_LANGUAGE + _NODE + _WEB).split())
GO = frozenset(_GO.split())
PRELUDE = frozenset(_PRELUDE.split())
"""What Rust brings without an import, in one edition or another."""

RUST = PRELUDE | {"Self", "drop", "crate", "super", "std", "core", "alloc", "align_of", "size_of", "size_of_val"}
USUAL = frozenset(_USUAL.split())
"""Names that test runners, frameworks and shells of JavaScript put there, unless a file had them otherwise before."""

ALL = SCRIPT | GO | RUST
