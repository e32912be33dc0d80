//! The pages of the exporter.

use std::sync::{Arc, PoisonError, RwLock};

use http::{Method, StatusCode};

use super::kept_pages::KeptPages;
use super::probe_page::ProbePage;
use super::reload::ReloadRequests;
use crate::net::http_server::{HttpRequest, HttpResponse};

const OVERVIEW: &str = "wscheck exporter\n\n\
    /                               the kept targets, live, for a browser\n\
    /metrics                        the kept targets\n\
    /probe?target=URL&module=NAME   a target, opened anew; &debug=true tells what happened\n\
    /config                         the configuration in force, without secrets\n\
    /-/reload                       POST: read the configuration again\n\
    /-/healthy /-/ready\n";

/// What the pages show.
pub struct Pages {
    pub kept: Arc<KeptPages>,
    pub probe: ProbePage,
    /// The configuration in force.
    pub config: RwLock<String>,
    /// `None`: there is no file to read again.
    pub reload: Option<ReloadRequests>,
}

impl Pages {
    /// Shows this configuration from now on.
    pub fn set_config(&self, config: String) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn config(&self) -> String {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a request.
    pub async fn answer(self: Arc<Self>, request: HttpRequest) -> HttpResponse {
        if let Some(response) = self.probe.answer(&request).await {
            return response;
        }
        match request.path.as_str() {
            "/-/reload" => self.answer_reload(&request).await,
            _ if !request.is_read() => HttpResponse::method_not_allowed("GET, HEAD"),
            "/config" => HttpResponse::plain(StatusCode::OK, self.config()),
            _ => match self.kept.answer(&request).await {
                Some(page) => page,
                None => HttpResponse::plain(StatusCode::NOT_FOUND, OVERVIEW),
            },
        }
    }

    /// As Prometheus answers it, but that pages of other sites are refused.
    async fn answer_reload(&self, request: &HttpRequest) -> HttpResponse {
        if request.method != Method::POST && request.method != Method::PUT {
            return HttpResponse::method_not_allowed("POST, PUT");
        }
        if request.is_cross_site() {
            let text = "A page of another site may not reload the configuration.\n";
            return HttpResponse::plain(StatusCode::FORBIDDEN, text);
        }
        let Some(reload) = &self.reload else {
            let text = "There is no configuration file to reload.\n";
            return HttpResponse::plain(StatusCode::NOT_FOUND, text);
        };
        match reload.reload().await {
            Ok(()) => HttpResponse::plain(StatusCode::OK, "Reloaded.\n"),
            Err(why) => {
                let text = format!("The configuration was not reloaded: {why}\n");
                HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
        }
    }
}
