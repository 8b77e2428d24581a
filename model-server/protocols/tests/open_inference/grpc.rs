//! The protocol over gRPC, on the wire.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Extensions, HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use prost::Message;
use tonic::Code;
use tonic::body::Body;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::ServiceExt;
use toxicity_api::Limits;
use toxicity_protocols::failure::Failure;
use toxicity_protocols::open_inference::grpc::message::infer_parameter::ParameterChoice;
use toxicity_protocols::open_inference::grpc::message::model_infer_request::{
    InferInputTensor, InferRequestedOutputTensor,
};
use toxicity_protocols::open_inference::grpc::message::{
    DataType, InferParameter, InferTensorContents, ModelConfigRequest, ModelConfigResponse,
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest,
    ModelReadyResponse, ModelStatisticsRequest, ModelStatisticsResponse, RepositoryIndexRequest,
    RepositoryIndexResponse, ServerLiveRequest, ServerLiveResponse, ServerMetadataRequest,
    ServerMetadataResponse, ServerReadyRequest, ServerReadyResponse,
};
use toxicity_protocols::open_inference::grpc::{self, Inference};
use toxicity_protocols::open_inference::statistics::Counts;
use toxicity_protocols::open_inference::{InferRequest, Inputs, ModelView};
use toxicity_protocols::scored::ScoredText;

use crate::fixture::{LIMITS, encoded, model, scored, texts, tokens};

/// What `tritonclient.grpc` 2.73 sends for two texts with two outputs, and for two rows of tokens with a mask.
mod tritonclient {
    pub const TEXTS: &[u8] = b"\n\x05toxic\x1a\x0242\"\x0f\n\x07timeout\x12\x04\x10\xa0\xc2\x1e*\x10\n\x04text\x12\x05BYTES\x1a\x01\x022\x1e\n\x06scores\x12\x14\n\x0eclassification\x12\x02\x10\x022\t\n\x07flagged:\x1e\r\0\0\0you are great\t\0\0\0\xc3\xbcn\xc3\xafcode";
    pub const TOKENS: &[u8] = b"\n\x05toxic*\x16\n\tinput_ids\x12\x05INT64\x1a\x02\x02\x03*\x1b\n\x0eattention_mask\x12\x05INT64\x1a\x02\x02\x03:0e\0\0\0\0\0\0\0\xa8\x1d\0\0\0\0\0\0f\0\0\0\0\0\0\0e\0\0\0\0\0\0\0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
}

/// A server that has scored its two texts already.
#[derive(Debug, Default)]
struct Server {
    loading: bool,
    busy: AtomicBool,
}

/// Whom a layer before the services made out.
#[derive(Debug, Clone)]
struct Caller(&'static str);

impl Inference for Server {
    type Model = ModelView<'static>;

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn model(&self) -> Result<Self::Model, Failure> {
        if self.loading {
            Err(Failure::Unavailable("the model is still loading".to_owned()))
        } else {
            Ok(model())
        }
    }

    fn view<'a>(&self, model: &'a Self::Model) -> ModelView<'a> {
        *model
    }

    async fn score(
        &self,
        _: &Self::Model,
        inputs: Inputs,
        _: Option<Duration>,
        caller: &Extensions,
    ) -> Result<Vec<ScoredText>, Failure> {
        if caller.get::<Caller>().is_some_and(|caller| caller.0 == "greedy") {
            return Err(Failure::RateLimited {
                limit: 1,
                retry_after_seconds: 2,
            });
        }
        Ok(scored()[..inputs.count()].to_vec())
    }

    fn counts(&self) -> Counts {
        Counts {
            inference_count: 7,
            ..Counts::default()
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    async fn is_ready(&self) -> bool {
        !self.loading && !self.busy.load(Ordering::Relaxed)
    }
}

/// What a call came to: a message, or a code with its words and headers.
type Outcome<M> = Result<M, (Code, String, HeaderMap)>;

fn frame(compressed: bool, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len())
        .expect("a short message")
        .to_be_bytes();
    [&[u8::from(compressed)], &length[..], message].concat().into()
}

fn request(path: &str, frame: Bytes) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/grpc")
        .body(Body::new(Full::new(frame)))
        .expect("a request")
}

async fn outcome<M: Message + Default>(response: Response<Body>) -> Outcome<M> {
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.expect("a whole body");
    let trailers = collected.trailers().cloned().unwrap_or(headers);
    let status = tonic::Status::from_header_map(&trailers).expect("a status");
    if status.code() != Code::Ok {
        return Err((status.code(), status.message().to_owned(), trailers));
    }
    let mut body = collected.to_bytes();
    body.advance(5);
    Ok(M::decode(body).expect("a message"))
}

impl Server {
    async fn send<M: Message + Default>(self, request: Request<Body>) -> Outcome<M> {
        let service = grpc::service(Arc::new(self));
        outcome(service.oneshot(request).await.unwrap()).await
    }

    async fn call<M: Message + Default>(self, method: &str, message: &impl Message) -> Outcome<M> {
        let path = format!("/inference.GRPCInferenceService/{method}");
        self.send(request(&path, frame(false, &message.encode_to_vec())))
            .await
    }

    async fn infer(self, message: &ModelInferRequest) -> Outcome<ModelInferResponse> {
        self.call("ModelInfer", message).await
    }
}

fn captured(bytes: &'static [u8]) -> ModelInferRequest {
    ModelInferRequest::decode(bytes).expect("a request")
}

fn input(name: &str, datatype: &str, shape: &[i64], contents: InferTensorContents) -> InferInputTensor {
    InferInputTensor {
        name: name.to_owned(),
        datatype: datatype.to_owned(),
        shape: shape.to_vec(),
        contents: Some(contents),
        ..InferInputTensor::default()
    }
}

fn text_input() -> InferInputTensor {
    let bytes_contents = vec![Bytes::from_static(b"a"), Bytes::from_static("ü".as_bytes())];
    let contents = InferTensorContents {
        bytes_contents,
        ..InferTensorContents::default()
    };
    input("text", "BYTES", &[2], contents)
}

fn infer_request(inputs: &[InferInputTensor]) -> ModelInferRequest {
    ModelInferRequest {
        model_name: "toxic".to_owned(),
        inputs: inputs.iter().map(|input| input.encode_to_vec().into()).collect(),
        ..ModelInferRequest::default()
    }
}

fn read(request: ModelInferRequest) -> Result<InferRequest, String> {
    InferRequest::from_message(request, &model(), &LIMITS).map_err(|error| error.to_string())
}

#[test]
fn the_messages_of_tritonclient_are_read() {
    let request = read(captured(tritonclient::TEXTS)).unwrap();
    assert_eq!(request.inputs, texts(&["you are great", "ünïcode"]));
    assert_eq!(request.timeout, Some(Duration::from_millis(500)));
    let request = read(captured(tritonclient::TOKENS)).unwrap();
    assert_eq!(request.inputs, tokens(&[&[101, 7592, 102], &[101, 102]]));
    assert_eq!(request.timeout, None);
}

#[tokio::test]
async fn raw_data_is_answered_with_raw_data() {
    let response = Server::default()
        .infer(&captured(tritonclient::TEXTS))
        .await
        .unwrap();
    assert_eq!(response.model_name, "toxic");
    assert_eq!(response.model_version, "5eedf00d");
    assert_eq!(response.id, "42");
    let shapes: Vec<_> = response
        .outputs
        .iter()
        .map(|output| {
            (
                output.name.as_str(),
                output.datatype.as_str(),
                output.shape.as_slice(),
            )
        })
        .collect();
    assert_eq!(
        shapes,
        [("scores", "BYTES", &[2, 2][..]), ("flagged", "BOOL", &[2])]
    );
    let ranked = [
        "0.500000:2:insult",
        "0.250000:0:toxic",
        "0.750000:1:threat",
        "0.500000:2:insult",
    ];
    assert_eq!(response.raw_output_contents, [encoded(&ranked), vec![0, 1]]);
}

#[tokio::test]
async fn typed_data_is_answered_with_typed_data() {
    let response = Server::default()
        .infer(&infer_request(&[text_input()]))
        .await
        .unwrap();
    assert!(response.raw_output_contents.is_empty());
    let contents: Vec<_> = response
        .outputs
        .iter()
        .map(|output| output.contents.clone().unwrap())
        .collect();
    assert_eq!(contents[0].fp32_contents, [0.25, 0.125, 0.5, 0.125, 0.75, 0.5]);
    assert_eq!(contents[1].fp32_contents, [-1.5, -2.0, 0.0, -2.0, 1.5, 0.0]);
    assert_eq!(
        contents[2].bool_contents,
        [false, false, false, false, true, false]
    );
    assert_eq!(contents[3].bool_contents, [false, true]);
    assert_eq!(contents[4].bytes_contents, ["toxic", "threat", "insult"]);
}

#[test]
fn typed_tokens_are_read_in_either_width() {
    let wide = InferTensorContents {
        int64_contents: vec![101, 7, 102],
        ..InferTensorContents::default()
    };
    let narrow = InferTensorContents {
        int_contents: vec![1, 1, 0],
        ..InferTensorContents::default()
    };
    let request = infer_request(&[
        input("input_ids", "INT64", &[1, 3], wide),
        input("attention_mask", "INT32", &[1, 3], narrow),
    ]);
    assert_eq!(read(request).unwrap().inputs, tokens(&[&[101, 7]]));
}

fn parameter(choice: ParameterChoice) -> InferParameter {
    InferParameter {
        parameter_choice: Some(choice),
    }
}

#[track_caller]
fn assert_refused(request: ModelInferRequest, problem: &str) {
    let error = read(request).expect_err("it is not as it says");
    assert!(error.contains(problem), "{problem}: {error}");
}

#[test]
fn a_request_that_is_not_as_it_says_is_refused() {
    assert_refused(infer_request(&[]), "the request holds no input");
    assert_refused(
        infer_request(&vec![text_input(); 5]),
        "the request holds 5 inputs; the model takes at most 4",
    );
    let mut undecodable = infer_request(&[]);
    undecodable.inputs = vec![Bytes::from_static(b"\xff")];
    assert_refused(undecodable, "`inputs[0]`: ");
    let mut impatient = infer_request(&[text_input()]);
    let soon = parameter(ParameterChoice::StringParam("soon".to_owned()));
    impatient.parameters.insert("timeout".to_owned(), soon);
    assert_refused(
        impatient,
        "the parameter `timeout` must be a whole number of at least 0",
    );
}

#[test]
fn a_tensor_that_is_not_as_it_says_is_refused_by_name() {
    let assert_change_refused = |problem: &str, change: fn(&mut InferInputTensor)| {
        let mut input = text_input();
        change(&mut input);
        assert_refused(infer_request(&[input]), problem);
    };
    assert_change_refused("the tensor `` is no input of this model", |input| {
        input.name.clear();
    });
    assert_change_refused("the tensor `text` has the datatype \"FP16\"", |input| {
        input.datatype = "FP16".to_owned();
    });
    assert_change_refused(
        "the tensor `text` has a shape of 3 elements, but holds 2",
        |input| input.shape = vec![3],
    );
    assert_change_refused("the tensor `text` holds no data", |input| input.contents = None);
    assert_change_refused("the tensor `text` lies in shared memory", |input| {
        let region = parameter(ParameterChoice::StringParam("r".to_owned()));
        input.parameters.insert("shared_memory_region".to_owned(), region);
    });
    assert_change_refused(
        "the tensor `text` holds an element that is not UTF-8, at index 1",
        |input| {
            if let Some(contents) = &mut input.contents {
                contents.bytes_contents[1] = Bytes::from_static(b"\xff");
            }
        },
    );
}

#[test]
fn raw_data_that_is_not_as_it_says_is_refused_by_name() {
    let raw = |contents: &[&'static [u8]]| {
        let input = InferInputTensor {
            contents: None,
            ..text_input()
        };
        ModelInferRequest {
            raw_input_contents: contents.iter().map(|&bytes| Bytes::from_static(bytes)).collect(),
            ..infer_request(&[input])
        }
    };
    assert_refused(raw(&[b"\x01\0\0\0a"]), "the tensor `text` ends within element 1");
    assert_refused(
        raw(&[b"", b""]),
        "`raw_input_contents` holds the data of 2 tensors, `inputs` only 1",
    );
    let mut twice = infer_request(&[text_input()]);
    twice.raw_input_contents = vec![Bytes::new()];
    assert_refused(twice, "the tensor `text` holds `data` beside binary data");
}

#[test]
fn outputs_are_known_and_asked_for_once() {
    let asking = |count: usize, name: &str, classes: Option<i64>| {
        let classes = classes.map(|classes| parameter(ParameterChoice::Int64Param(classes)));
        let output = InferRequestedOutputTensor {
            name: name.to_owned(),
            parameters: classes
                .map(|classes| ("classification".to_owned(), classes))
                .into_iter()
                .collect(),
        };
        ModelInferRequest {
            outputs: vec![output.encode_to_vec().into(); count],
            ..infer_request(&[text_input()])
        }
    };
    assert_refused(
        asking(1, "score", None),
        "the output `score` is no output of this model",
    );
    assert_refused(
        asking(2, "scores", None),
        "the output `scores` is requested more than once",
    );
    assert_refused(asking(6, "scores", None), "asks for 6 outputs");
    assert_refused(
        asking(1, "labels", Some(1)),
        "the output `labels` cannot take the parameter `classification`",
    );
    assert_refused(
        asking(1, "scores", Some(-1)),
        "the parameter `classification` must be a whole number of at least 0",
    );
}

#[tokio::test]
async fn a_refusal_has_a_code_and_says_why() {
    let mut other = infer_request(&[text_input()]);
    other.model_name = "other".to_owned();
    let (code, message, _) = Server::default().infer(&other).await.unwrap_err();
    assert_eq!(code, Code::NotFound);
    assert_eq!(
        message,
        "there is no model \"other\"; this server serves \"toxic\""
    );

    let (code, message, _) = Server::default().infer(&infer_request(&[])).await.unwrap_err();
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("the request holds no input"), "{message}");

    let server = Server {
        loading: true,
        ..Server::default()
    };
    let (code, message, _) = server.infer(&infer_request(&[text_input()])).await.unwrap_err();
    assert_eq!(code, Code::Unavailable);
    assert_eq!(message, "the model is still loading");
}

#[tokio::test]
async fn the_caller_reaches_the_server_and_learns_when_to_come_again() {
    let message = infer_request(&[text_input()]).encode_to_vec();
    let mut request = request(
        "/inference.GRPCInferenceService/ModelInfer",
        frame(false, &message),
    );
    request.extensions_mut().insert(Caller("greedy"));
    let outcome: Outcome<ModelInferResponse> = Server::default().send(request).await;
    let (code, _, headers) = outcome.unwrap_err();
    assert_eq!(code, Code::ResourceExhausted);
    assert_eq!(headers["grpc-retry-pushback-ms"], "2000");
}

#[tokio::test]
async fn compressed_messages_are_taken_within_the_limit() {
    let compressed = |message: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(message).unwrap();
        let path = "/inference.GRPCInferenceService/ModelInfer";
        let mut request = request(path, frame(true, &encoder.finish().unwrap()));
        request
            .headers_mut()
            .insert("grpc-encoding", "gzip".parse().unwrap());
        request
    };
    let response: Outcome<ModelInferResponse> = Server::default().send(compressed(tritonclient::TEXTS)).await;
    assert_eq!(response.unwrap().id, "42");

    let mut large = captured(tritonclient::TEXTS);
    large.id = "4".repeat(1_000_000);
    let outcome: Outcome<ModelInferResponse> =
        Server::default().send(compressed(&large.encode_to_vec())).await;
    assert_eq!(outcome.unwrap_err().0, Code::ResourceExhausted);
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let server = Server::default;
    let live: ServerLiveResponse = server().call("ServerLive", &ServerLiveRequest {}).await.unwrap();
    assert!(live.live);
    let metadata: ServerMetadataResponse = server()
        .call("ServerMetadata", &ServerMetadataRequest {})
        .await
        .unwrap();
    assert_eq!(metadata.version, "1.2.3");

    let (name, version) = ("toxic".to_owned(), String::new());
    let request = ModelMetadataRequest {
        name: name.clone(),
        version: version.clone(),
    };
    let metadata: ModelMetadataResponse = server().call("ModelMetadata", &request).await.unwrap();
    assert_eq!(metadata.versions, ["5eedf00d"]);
    assert_eq!(metadata.inputs[0].name, "text");
    assert_eq!(metadata.outputs[0].shape, [-1, 3]);

    let request = ModelConfigRequest { name, version };
    let response: ModelConfigResponse = server().call("ModelConfig", &request).await.unwrap();
    let config = response.config.unwrap();
    assert_eq!(config.input[0].data_type(), DataType::TypeString);
    assert_eq!(config.output[0].data_type(), DataType::TypeFp32);
    assert_eq!(config.output[2].data_type(), DataType::TypeBool);

    let request = ModelStatisticsRequest::default();
    let statistics: ModelStatisticsResponse = server().call("ModelStatistics", &request).await.unwrap();
    assert_eq!(statistics.model_stats[0].inference_count, 7);

    let request = RepositoryIndexRequest::default();
    let index: RepositoryIndexResponse = server().call("RepositoryIndex", &request).await.unwrap();
    assert_eq!(index.models[0].state, "READY");
}

#[tokio::test]
async fn nothing_is_ready_before_the_model_is_there() {
    for (loading, name, expected) in [
        (false, "toxic", true),
        (false, "other", false),
        (true, "toxic", false),
    ] {
        let server = || Server {
            loading,
            ..Server::default()
        };
        let ready: ServerReadyResponse = server()
            .call("ServerReady", &ServerReadyRequest {})
            .await
            .unwrap();
        assert_eq!(ready.ready, !loading);
        let request = ModelReadyRequest {
            name: name.to_owned(),
            ..ModelReadyRequest::default()
        };
        let ready: ModelReadyResponse = server().call("ModelReady", &request).await.unwrap();
        assert_eq!(ready.ready, expected, "{name}");
    }
}

async fn health(server: Arc<Server>, method: &str, service: &str) -> Response<Body> {
    let message = HealthCheckRequest {
        service: service.to_owned(),
    };
    let path = format!("/grpc.health.v1.Health/{method}");
    let request = request(&path, frame(false, &message.encode_to_vec()));
    grpc::health(server).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn health_is_readiness() {
    for (busy, expected) in [(false, ServingStatus::Serving), (true, ServingStatus::NotServing)] {
        for service in ["", "inference.GRPCInferenceService"] {
            let server = Server {
                busy: busy.into(),
                ..Server::default()
            };
            let response = health(Arc::new(server), "Check", service).await;
            let response: HealthCheckResponse = outcome(response).await.unwrap();
            assert_eq!(response.status(), expected);
        }
    }
    let response = health(Arc::default(), "Check", "other").await;
    let outcome: Outcome<HealthCheckResponse> = outcome(response).await;
    assert_eq!(outcome.unwrap_err().0, Code::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_watched_server_reports_each_change_once() {
    let server = Arc::new(Server::default());
    let mut body = health(Arc::clone(&server), "Watch", "").await.into_body();
    let mut statuses = Vec::new();
    for busy in [false, true, false] {
        server.busy.store(busy, Ordering::Relaxed);
        let mut frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        frame.advance(5);
        statuses.push(HealthCheckResponse::decode(frame).unwrap().status());
    }
    let expected = [
        ServingStatus::Serving,
        ServingStatus::NotServing,
        ServingStatus::Serving,
    ];
    assert_eq!(statuses, expected);
    let next = tokio::time::timeout(Duration::from_mins(1), body.frame()).await;
    assert!(next.is_err(), "nothing has changed");
}

proptest! {
    #[test]
    fn arbitrary_messages_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..128)) {
        if let Ok(request) = ModelInferRequest::decode(bytes.as_slice()) {
            let _ = InferRequest::from_message(request, &model(), &LIMITS);
        }
    }

    #[test]
    fn arbitrary_tensors_are_read_or_refused(
        inputs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..32), 0..4),
        raw in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..32), 0..4),
        shape in prop::collection::vec(any::<i64>(), 0..3),
    ) {
        let mut request = infer_request(&[InferInputTensor { shape, ..text_input() }]);
        request.inputs.extend(inputs.into_iter().map(Bytes::from));
        request.raw_input_contents = raw.into_iter().map(Bytes::from).collect();
        let _ = InferRequest::from_message(request, &model(), &LIMITS);
    }

    #[test]
    fn texts_are_the_same_raw_and_typed(expected in prop::collection::vec("[^\\pZ\\pC].{0,20}", 1..8)) {
        let shape = vec![i64::try_from(expected.len()).unwrap()];
        let contents = InferTensorContents {
            bytes_contents: expected.iter().map(|text| text.clone().into()).collect(),
            ..InferTensorContents::default()
        };
        let typed = infer_request(&[input("text", "BYTES", &shape, contents)]);
        let mut raw = infer_request(&[InferInputTensor { shape, contents: None, ..text_input() }]);
        raw.raw_input_contents = vec![encoded(&expected).into()];
        prop_assert_eq!(&read(typed).unwrap().inputs, &Inputs::Texts(expected.clone()));
        prop_assert_eq!(&read(raw).unwrap().inputs, &Inputs::Texts(expected));
    }
}
